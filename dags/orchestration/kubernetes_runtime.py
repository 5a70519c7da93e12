"""Steps as pods: KubernetesPodOperator for ingest and publish, Cosmos for a pod a dbt model."""

from collections.abc import Callable, Sequence
from typing import Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk import Asset, Context, TaskGroup
from airflow.sdk.bases.operator import BaseOperator
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.exceptions import AirflowException
from cosmos import DbtTaskGroup, ExecutionConfig, ExecutionMode
from kubernetes.client import models as k8s

from orchestration.dbt import profile_config, project_config, render_config
from orchestration.pods import pod_of
from orchestration.retries import StepFailed
from orchestration.runtime import pre_execution, shard_arguments
from orchestration.step_environment import DBT_ENVIRONMENT, WINDOW_ENVIRONMENT
from weather.settings import KubernetesSettings

DBT_PROJECT_IN_IMAGE = "/app/dbt_project"


class StepPod(KubernetesPodOperator):
    """A step in a pod of its own, which raises StepFailed as its subprocess would."""

    def cleanup(
        self,
        pod: k8s.V1Pod,
        remote_pod: k8s.V1Pod,
        xcom_result: dict[str, Any] | None = None,
        context: Context | None = None,
    ) -> None:
        """Clean up as the operator does, and tell the retry policy the exit code."""
        try:
            super().cleanup(pod, remote_pod, xcom_result=xcom_result, context=context)
        except AirflowException as error:
            exit_code = exit_code_of(remote_pod, self.base_container_name)
            if exit_code is None:
                raise
            raise StepFailed(str(error), exit_code) from error


def exit_code_of(pod: k8s.V1Pod | None, container: str) -> int | None:
    """The exit code of a pod's container; None where it did not end by itself."""
    for status in (pod and pod.status and pod.status.container_statuses) or []:
        if status.name == container and status.state and status.state.terminated:
            return int(status.state.terminated.exit_code)
    return None


class KubernetesRuntime:
    """Makes the tasks for a cluster."""

    def __init__(self, settings: KubernetesSettings) -> None:
        self.settings = settings

    def ingest_shards(self, task_id: str, shards: int) -> MappedOperator:
        """One mapped pod a shard, one at a time."""
        return StepPod.partial(
            task_id=task_id,
            max_active_tis_per_dagrun=1,
            cmds=["python", "-m", "ingest"],
            **pod_of("ingest", self.settings, env=WINDOW_ENVIRONMENT),
        ).expand(arguments=shard_arguments(shards))

    def dbt_models(self, group_id: str) -> TaskGroup:
        """One pod a model, made by Cosmos."""
        models: TaskGroup = DbtTaskGroup(
            group_id=group_id,
            project_config=project_config(),
            profile_config=profile_config(),
            render_config=render_config(),
            execution_config=ExecutionConfig(
                execution_mode=ExecutionMode.KUBERNETES, dbt_project_path=DBT_PROJECT_IN_IMAGE
            ),
            operator_args=pod_of(
                "dbt", self.settings, env={**WINDOW_ENVIRONMENT, **DBT_ENVIRONMENT}
            ),
        )
        return models

    def lake_step(
        self,
        step: str,
        *,
        outlets: Sequence[Asset] = (),
        pre_execute: Callable[[Context], None] | None = None,
    ) -> BaseOperator:
        """A pod that runs one of the steps around dbt, in dbt's image."""
        return StepPod(
            task_id=step,
            cmds=["python", "-m", "lake_steps"],
            arguments=[step],
            outlets=list(outlets),
            **pod_of("dbt", self.settings, env=WINDOW_ENVIRONMENT),
            **pre_execution(pre_execute),
        )
