"""Operators of dbt's models: a pod for each model, or one shared pod that builds all of them."""

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
    """Cosmos' operator for a model in a pod, with the pod handling of StepPod."""


class SharedModelPod(ModelPod):
    """Wait until the shared pod has built a model. If that pod fails, build the model separately.

    Each of Cosmos' own sensors takes a worker pod, or two if deferred. This task starts and
    succeeds in the triggerer, so it takes none.

    Args:
        producer: id of the task whose pod builds all models.
        unique_id: dbt's unique id of the model.
        tested: whether the model has tests.
    """

    start_from_trigger = True

    def __init__(self, *, producer: str, unique_id: str, tested: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.producer = producer
        classpath, arguments = ModelTrigger(producer, unique_id, tested).serialize()
        self.start_trigger_args = StartTriggerArgs(
            trigger_cls=classpath, trigger_kwargs=arguments, next_method="build_in_separate_pod"
        )

    def build_in_separate_pod(self, context: Context, event: dict[str, Any]) -> None:
        """Build and test the model in a separate pod, after the shared pod has ended."""
        self.log.info("Building in a separate pod: %s is %s.", self.producer, event["producer"])
        self.execute(context)

    def _abandoned_pods(self, namespace: str, context: Context) -> list[k8s.V1Pod]:
        """Return abandoned pods, and the shared pod, which may have outlived its task."""
        labels = self._get_ti_pod_labels(context, include_try_number=False)
        of_all_models = {**labels, "task_id": self.producer}
        return super()._abandoned_pods(namespace, context) + [
            pod for pod in self._pods_of(namespace, of_all_models) if not has_ended(pod)
        ]


def model_pod(
    *, node: DbtNode, dag: DAG, task_group: TaskGroup, task_args: dict[str, Any], **_: Any
) -> BaseOperator:
    """Create a model's task that runs a pod."""
    if node.has_ephemeral_materialization:
        return _inlined_model(node, dag, task_group)
    return ModelPod(
        task_id=node.name, select=_selector(node), dag=dag, task_group=task_group, **task_args
    )


def shared_model_pod(
    *, node: DbtNode, dag: DAG, task_group: TaskGroup, task_args: dict[str, Any], **_: Any
) -> BaseOperator:
    """Create a model's task that waits for the shared pod."""
    if node.has_ephemeral_materialization:
        return _inlined_model(node, dag, task_group)
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


def _inlined_model(node: DbtNode, dag: DAG, task_group: TaskGroup) -> BaseOperator:
    """Create an empty task for an ephemeral model, which dbt inlines into other models."""
    return EmptyOperator(task_id=node.name, dag=dag, task_group=task_group)


def _selector(node: DbtNode) -> str:
    return f"fqn:{'.'.join(node.fqn)}"
