"""Interface of the two runtimes, which run a step as a subprocess or as a pod."""

from typing import Any, Protocol

from airflow.sdk import TaskGroup
from airflow.sdk.bases.operator import BaseOperator
from airflow.sdk.definitions.mappedoperator import MappedOperator

from weather.settings import KubernetesSettings, PipelineSettings, read_settings


class Runtime(Protocol):
    """Creates the tasks of the DAG."""

    max_active_tasks: int
    """Limit on the tasks of the DAG that run at the same time."""

    def ingest_shards(self, task_id: str, shards: int, **task: Any) -> MappedOperator:
        """Run ingest in one mapped task per shard. `task` has arguments of the operator."""

    def dbt_models(self, group_id: str) -> TaskGroup:
        """Run one task for each dbt model, which builds and tests the model."""

    def lake_step(self, step: str, **task: Any) -> BaseOperator:
        """Run `python -m weather.lake <step>`. `task` has arguments of the operator."""


def choose_runtime(settings: PipelineSettings) -> Runtime:
    """Return the runtime that WEATHER_RUNTIME names. The other runtime is not imported."""
    if settings.weather_runtime == "kubernetes":
        from orchestration.kubernetes_runtime import KubernetesRuntime

        return KubernetesRuntime(read_settings(KubernetesSettings))
    from orchestration.local_runtime import LocalRuntime

    return LocalRuntime()
