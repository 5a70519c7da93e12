"""Tasks of dbt's models as pods: a pod for each model, or one pod for all that tasks watch."""

from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Context, TaskGroup
from airflow.sdk.bases.operator import BaseOperator
from airflow.triggers.base import StartTriggerArgs
from cosmos.constants import PRODUCER_WATCHER_TASK_ID
from cosmos.dbt.graph import DbtNode
from cosmos.operators.kubernetes import DbtBuildKubernetesOperator
from kubernetes.client import models as k8s

from orchestration.model_trigger import ModelTrigger
from orchestration.step_pod import StepPod, has_ended


class ModelPod(StepPod, DbtBuildKubernetesOperator):  # type: ignore[misc]
    """Cosmos' task of a model, in a pod that behaves as those of the other steps."""


class SharedModelPod(ModelPod):
    """A model that one pod builds with all others; a pod of its own where that one did not.

    Cosmos' own sensors take a worker pod each, or two when they are deferred. This task starts
    and succeeds in the triggerer, so that it takes none.

    Args:
        producer: id of the task whose pod builds all models.
        unique_id: dbt's name of the model.
        tested: whether the model has tests that its success depends on.
    """

    start_from_trigger = True

    def __init__(self, *, producer: str, unique_id: str, tested: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.producer = producer
        classpath, arguments = ModelTrigger(producer, unique_id, tested).serialize()
        self.start_trigger_args = StartTriggerArgs(
            trigger_cls=classpath, trigger_kwargs=arguments, next_method="build_apart"
        )

    def build_apart(self, context: Context, event: dict[str, Any]) -> None:
        """Build the model and run its tests in a pod of its own, once the one pod has ended."""
        self.log.info("%s has not built this model: it is %s", self.producer, event["producer"])
        self.execute(context)

    def _abandoned_pods(self, namespace: str, context: Context) -> list[k8s.V1Pod]:
        """The pod for all models among them: it may have outlived its task."""
        labels = self._get_ti_pod_labels(context, include_try_number=False)
        of_all_models = {**labels, "task_id": self.producer}
        return super()._abandoned_pods(namespace, context) + [
            pod for pod in self._pods_of(namespace, of_all_models) if not has_ended(pod)
        ]


def model_pod(
    *, node: DbtNode, dag: DAG, task_group: TaskGroup, task_args: dict[str, Any], **_: Any
) -> BaseOperator:
    """The task of a model that has a pod of its own."""
    if node.has_ephemeral_materialization:
        return _part_of_others(node, dag, task_group)
    return ModelPod(
        task_id=node.name, select=_selector(node), dag=dag, task_group=task_group, **task_args
    )


def shared_model_pod(
    *, node: DbtNode, dag: DAG, task_group: TaskGroup, task_args: dict[str, Any], **_: Any
) -> BaseOperator:
    """The task of a model that one pod builds with all others."""
    if node.has_ephemeral_materialization:
        return _part_of_others(node, dag, task_group)
    return SharedModelPod(
        task_id=node.name,
        select=_selector(node),
        producer=f"{task_group.group_id}.{PRODUCER_WATCHER_TASK_ID}",
        unique_id=node.unique_id,
        tested=node.has_test,
        dag=dag,
        task_group=task_group,
        **task_args,
    )


def _part_of_others(node: DbtNode, dag: DAG, task_group: TaskGroup) -> BaseOperator:
    """A model without a table: dbt writes it into those that refer to it."""
    return EmptyOperator(task_id=node.name, dag=dag, task_group=task_group)


def _selector(node: DbtNode) -> str:
    return f"fqn:{'.'.join(node.fqn)}"
