"""Trigger that watches one model of the dbt process that builds all models."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.sdk.execution_time.xcom import XCom
from airflow.triggers.base import BaseTrigger, TaskSuccessEvent, TriggerEvent
from cosmos.operators._watcher.aggregation import get_tests_status_xcom_key
from cosmos.operators._watcher.state import get_status_xcom_key, is_producer_task_terminated

INTERVAL_SECONDS = 0.5


class ModelTrigger(BaseTrigger):
    """End the task when the model is built and tested. Otherwise resume the task in a worker.

    A worker resumes the task when the producer has ended without success for the model, and in
    each later try, because a cleared task must build the model again.

    Args:
        producer: id of Cosmos' task that writes each node's result to an XCom.
        unique_id: dbt's unique id of the model.
        tested: whether the model has tests.
    """

    def __init__(self, producer: str, unique_id: str, tested: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.producer = producer
        self.unique_id = unique_id
        self.tested = tested

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments."""
        name = f"{type(self).__module__}.{type(self).__qualname__}"
        return name, {
            "producer": self.producer,
            "unique_id": self.unique_id,
            "tested": self.tested,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll the producer's state and XComs."""
        assert self.task_instance is not None
        while True:
            # The state is read first, so that all XComs of a producer that has ended are there.
            state = await self._producer_state()
            ended = is_producer_task_terminated(state)
            # Airflow logs an error for each read of a missing XCom.
            reads_xcoms = self.task_instance.try_number == 1 and (ended or state == "running")
            if reads_xcoms and await self._is_built_and_tested():
                yield TaskSuccessEvent()
                return
            if ended:
                yield TriggerEvent({"producer": state})  # type: ignore[no-untyped-call]
                return
            await asyncio.sleep(INTERVAL_SECONDS)

    async def _is_built_and_tested(self) -> bool:
        if self.tested:
            tests: str | None = await self._xcom(get_tests_status_xcom_key(self.unique_id))
            return tests == "pass"
        model: dict[str, str] | None = await self._xcom(get_status_xcom_key(self.unique_id))
        return model is not None and model["status"] == "success"

    async def _xcom(self, key: str) -> Any:
        assert self.task_instance is not None
        return await XCom.aget_one(
            key=key,
            dag_id=self.task_instance.dag_id,
            task_id=self.producer,
            run_id=self.task_instance.run_id,
        )

    async def _producer_state(self) -> str | None:
        assert self.task_instance is not None
        run_id = self.task_instance.run_id
        states = await asyncio.to_thread(
            RuntimeTaskInstance.get_task_states,
            dag_id=self.task_instance.dag_id,
            task_ids=[self.producer],
            run_ids=[run_id],
        )
        state: str | None = states.get(run_id, {}).get(self.producer)
        return state
