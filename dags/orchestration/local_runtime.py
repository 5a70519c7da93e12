"""Runtime for one machine: a task runs its step as a subprocess."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.sdk import Context, TaskGroup
from airflow.sdk.bases.operator import BaseOperator
from airflow.sdk.definitions.mappedoperator import MappedOperator
from cosmos import DbtTaskGroup, ExecutionConfig, ExecutionMode, InvocationMode

from orchestration.dbt import (
    DBT_PROJECT,
    PROJECT,
    profile_config,
    project_config,
    render_config,
)
from orchestration.retry_policy import StepFailed
from orchestration.step_inputs import WINDOW_ENVIRONMENT, shard_arguments
from weather.dbt_environment import DBT_ENVIRONMENT
from weather.errors import ExitCode


class StepProcess(BaseOperator):
    """Operator that runs a step as a subprocess.

    Args:
        module: the Python module to run, as in `python -m`.
        arguments: command-line arguments of the module.
        env: environment variables, added to those of the worker.
    """

    template_fields: Sequence[str] = ("arguments", "env")

    def __init__(
        self, *, module: str, arguments: list[str], env: dict[str, str], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.module = module
        self.arguments = arguments
        self.env = env
        self.hook = SubprocessHook()

    def execute(self, context: Context) -> None:
        """Run the step. Raise StepFailed with the last line of output after a failure."""
        result = self.hook.run_command(
            [sys.executable, "-m", self.module, *self.arguments],
            env={**os.environ, **self.env},
            cwd=str(PROJECT),
        )
        if result.exit_code != ExitCode.OK:
            raise StepFailed(result.output, result.exit_code)

    def on_kill(self) -> None:
        """Terminate the subprocess."""
        self.hook.send_sigterm()  # type: ignore[no-untyped-call]


class LocalRuntime:
    """Creates tasks that run on this machine."""

    # SQLite refuses to commit a model while another one is built.
    max_active_tasks = 1

    def ingest_shards(self, task_id: str, shards: int, **task: Any) -> MappedOperator:
        """Run ingest in one mapped task per shard."""
        return StepProcess.partial(
            task_id=task_id, module="weather.ingest", env=WINDOW_ENVIRONMENT, **task
        ).expand(arguments=shard_arguments(shards))

    def dbt_models(self, group_id: str) -> TaskGroup:
        """Run a dbt process for each model."""
        models: TaskGroup = DbtTaskGroup(
            group_id=group_id,
            project_config=project_config(),
            profile_config=profile_config(),
            render_config=render_config(),
            execution_config=ExecutionConfig(
                execution_mode=ExecutionMode.LOCAL,
                dbt_project_path=DBT_PROJECT,
                invocation_mode=InvocationMode.SUBPROCESS,
                dbt_executable_path=Path(sys.executable).with_name("dbt"),
            ),
            operator_args={"env": {**WINDOW_ENVIRONMENT, **DBT_ENVIRONMENT}},
        )
        return models

    def lake_step(self, step: str, **task: Any) -> BaseOperator:
        """Return a task that runs a command of `weather.lake`."""
        return StepProcess(
            task_id=step, module="weather.lake", arguments=[step], env=WINDOW_ENVIRONMENT, **task
        )
