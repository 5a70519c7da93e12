"""The one seam between the two runtimes: a subprocess or a pod for each step."""

from typing import Any, Protocol

from airflow.sdk import TaskGroup
from airflow.sdk.bases.operator import BaseOperator
from airflow.sdk.definitions.mappedoperator import MappedOperator

from weather.settings import KubernetesSettings, PipelineSettings, read_settings


class Runtime(Protocol):
    """Makes the tasks of the DAG; each tells its step the run's window in its environment."""

    tasks_at_once: int
    """Limit on the tasks of a run that may run at the same time."""

    def ingest_shards(self, task_id: str, shards: int, **task: Any) -> MappedOperator:
        """Run ingest, one mapped task a shard; `task` has the operator's own arguments."""

    def dbt_models(self, group_id: str) -> TaskGroup:
        """One task for each dbt model, which builds it and runs its tests."""

    def lake_step(self, step: str, **task: Any) -> BaseOperator:
        """`python -m weather.lake <step>`; `task` has the operator's own arguments, as outlets."""


def choose_runtime(settings: PipelineSettings) -> Runtime:
    """The runtime that WEATHER_RUNTIME names; the other one's imports are not paid for."""
    if settings.weather_runtime == "kubernetes":
        from orchestration.kubernetes_runtime import KubernetesRuntime

        return KubernetesRuntime(read_settings(KubernetesSettings))
    from orchestration.local_runtime import LocalRuntime

    return LocalRuntime()
