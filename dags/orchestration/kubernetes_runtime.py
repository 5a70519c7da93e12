"""Runtime for Kubernetes: KubernetesPodOperator for the steps, Cosmos for dbt's models."""

from datetime import timedelta
from typing import Any

from airflow.sdk import TaskGroup
from airflow.sdk.bases.operator import BaseOperator
from airflow.sdk.definitions.mappedoperator import MappedOperator
from cosmos import DbtTaskGroup, ExecutionConfig, ExecutionMode

from orchestration.dbt import profile_config, project_config, render_config
from orchestration.model_pods import model_pod, shared_model_pod
from orchestration.pod_spec import pod_arguments
from orchestration.step_inputs import WINDOW_ENVIRONMENT, shard_arguments
from orchestration.step_pod import StepPod
from weather.dbt_environment import DBT_ENVIRONMENT
from weather.settings import KubernetesSettings

DBT_PROJECT_IN_IMAGE = "/app/dbt_project"

MODEL_TASKS = {
    "model": (ExecutionMode.KUBERNETES, model_pod),
    "watcher": (ExecutionMode.WATCHER_KUBERNETES, shared_model_pod),
}
"""Cosmos' execution mode and a model's task, for each value of WEATHER_DBT_PODS."""

PRODUCER_RETRIES = {"retries": 3, "retry_delay": timedelta(seconds=1), "retry_policy": None}
"""Retries of Cosmos' producer task, whose pod builds all models.

The second try only reports that the first has failed. Then each missing model gets its own pod.
"""


class KubernetesRuntime:
    """Creates tasks that run as pods."""

    max_active_tasks = 16

    def __init__(self, settings: KubernetesSettings) -> None:
        self.settings = settings

    def ingest_shards(self, task_id: str, shards: int, **task: Any) -> MappedOperator:
        """Run ingest in one mapped pod per shard."""
        return StepPod.partial(
            task_id=task_id,
            cmds=["python", "-m", "weather.ingest"],
            **pod_arguments(
                "ingest", self.settings, env=WINDOW_ENVIRONMENT, shard="{{ ti.map_index }}"
            ),
            **task,
        ).expand(arguments=shard_arguments(shards))

    def dbt_models(self, group_id: str) -> TaskGroup:
        """Run a pod for each model, or one pod for all, depending on WEATHER_DBT_PODS."""
        execution_mode, model_task = MODEL_TASKS[self.settings.weather_dbt_pods]
        models: TaskGroup = DbtTaskGroup(
            group_id=group_id,
            project_config=project_config(),
            profile_config=profile_config(),
            render_config=render_config(model_task),
            execution_config=ExecutionConfig(
                execution_mode=execution_mode,
                dbt_project_path=DBT_PROJECT_IN_IMAGE,
                setup_operator_args=PRODUCER_RETRIES,
            ),
            operator_args=pod_arguments(
                "dbt", self.settings, env={**WINDOW_ENVIRONMENT, **DBT_ENVIRONMENT}
            ),
        )
        return models

    def lake_step(self, step: str, **task: Any) -> BaseOperator:
        """Run a command of `weather.lake` in a pod with dbt's image."""
        return StepPod(
            task_id=step,
            cmds=["python", "-m", "weather.lake"],
            arguments=[step],
            **pod_arguments("dbt", self.settings, env=WINDOW_ENVIRONMENT),
            **task,
        )
