"""Tasks of models that a shared pod builds: the trigger, and pods for single models."""

import asyncio
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.sdk.execution_time.xcom import XCom
from airflow.triggers.base import TaskSuccessEvent, TriggerEvent
from orchestration import model_trigger
from orchestration.model_trigger import ModelTrigger

from tests.dags.fake_kubernetes import Cluster, pod
from tests.upgrades import internals

InAirflow = Callable[..., str]

PRODUCER = "models.dbt_producer_watcher"
MODEL = "model.weather.stg_weather"
BUILT = {"model__weather__stg_weather_status": {"status": "success", "outlet_uris": []}}
PASSED = {"model__weather__stg_weather_tests_status": "pass"}
FAILED = {"model__weather__stg_weather_tests_status": "fail"}

Moment = tuple[str | None, dict[str, Any]]
"""The producer's state, and the XComs that the producer has written by then."""


class Airflow:
    """Fake of Airflow's states and XComs. Each read of the state returns the next state."""

    def __init__(self, *moments: Moment) -> None:
        self.moments = list(moments)
        self.written: dict[str, Any] = {}

    def states(self, dag_id: str, task_ids: list[str], run_ids: list[str]) -> dict[str, Any]:
        assert (dag_id, task_ids, run_ids) == ("weather_pipeline", [PRODUCER], ["now"])
        state, self.written = self.moments.pop(0)
        return {"now": {PRODUCER: state}} if state else {}

    async def xcom(self, *, key: str, dag_id: str, task_id: str, run_id: str) -> Any:
        assert (dag_id, task_id, run_id) == ("weather_pipeline", PRODUCER, "now")
        return self.written.get(key)


@pytest.fixture
def end(monkeypatch: pytest.MonkeyPatch) -> Callable[..., TriggerEvent]:
    """Factory of the trigger's event after these states, which the trigger must all read."""
    monkeypatch.setattr(model_trigger, "INTERVAL_SECONDS", 0)

    def run(*moments: Moment, tested: bool = True, try_number: int = 1) -> TriggerEvent:
        airflow = Airflow(*moments)
        monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", airflow.states)
        monkeypatch.setattr(XCom, "aget_one", airflow.xcom)
        trigger = ModelTrigger(PRODUCER, MODEL, tested)
        trigger.task_instance = SimpleNamespace(  # type: ignore[assignment]
            dag_id="weather_pipeline", run_id="now", task_id="stg_weather", try_number=try_number
        )

        async def events() -> list[TriggerEvent]:
            return [event async for event in trigger.run()]

        [event] = asyncio.run(events())
        assert airflow.moments == []
        return event

    return run


def test_a_built_and_tested_model_succeeds_without_a_pod(
    end: Callable[..., TriggerEvent],
) -> None:
    event = end((None, {}), ("running", {}), ("running", BUILT), ("running", {**BUILT, **PASSED}))
    assert isinstance(event, TaskSuccessEvent)


def test_the_producers_last_xcoms_are_read(end: Callable[..., TriggerEvent]) -> None:
    assert isinstance(end(("running", {}), ("success", PASSED)), TaskSuccessEvent)


def test_a_model_without_tests_succeeds_when_built(end: Callable[..., TriggerEvent]) -> None:
    assert isinstance(end(("running", BUILT), tested=False), TaskSuccessEvent)


@pytest.mark.parametrize("state", ["failed", "skipped", "success"])
@pytest.mark.parametrize("xcoms", [{}, BUILT, {**BUILT, **FAILED}])
def test_a_failed_producer_starts_the_models_own_pod(
    end: Callable[..., TriggerEvent], state: str, xcoms: dict[str, Any]
) -> None:
    event = end(("running", xcoms), ("up_for_retry", xcoms), (state, xcoms))
    assert not isinstance(event, TaskSuccessEvent)
    assert event.payload == {"producer": state}


def test_a_later_try_starts_the_models_own_pod(
    end: Callable[..., TriggerEvent],
) -> None:
    event = end(("running", PASSED), ("success", PASSED), try_number=2)
    assert event.payload == {"producer": "success"}


# Cosmos imports what Airflow has moved.
@pytest.mark.filterwarnings("ignore:The `airflow.utils.timezone.utcnow` attribute is deprecated")
def test_cosmos_writes_the_xcoms_that_the_trigger_reads() -> None:
    written: dict[str, Any] = {}
    ti = SimpleNamespace(xcom_push=lambda *, key, value: written.update({key: value}))
    test = "test.weather.not_null_stg_weather"

    def finished(unique_id: str, kind: str, status: str) -> str:
        """Return a line of dbt's JSON log."""
        node = {"unique_id": unique_id, "resource_type": kind, "node_status": status}
        info = {"name": "NodeFinished", "level": "info", "msg": "", "ts": "2026-11-20T05:00:00Z"}
        return json.dumps({"info": info, "data": {"node_info": node}})

    with internals("astronomer-cosmos", "1.15.1", "dags/orchestration/model_trigger.py"):
        from cosmos.operators._k8s_common import WatcherK8sCallback
        from cosmos.operators._watcher.aggregation import get_tests_status_xcom_key
        from cosmos.operators._watcher.state import (
            get_status_xcom_key,
            is_producer_task_terminated,
        )

        results: dict[str, dict[str, str]] = {}
        for line in (finished(MODEL, "model", "success"), finished(test, "test", "pass")):
            WatcherK8sCallback.progress_callback(
                line=line,
                client=None,
                mode="sync",
                container_name="base",
                timestamp=None,
                pod=None,
                context_holder={"context": {"ti": ti}},
                tests_per_model={MODEL: [test]},
                test_results_per_model=results,
            )
        assert {key: written[key] for key in BUILT | PASSED} == BUILT | PASSED
        assert [get_status_xcom_key(MODEL)] == list(BUILT)
        assert [get_tests_status_xcom_key(MODEL)] == list(PASSED)
        ended = {"success", "failed", "skipped", "upstream_failed", "removed"}
        going_on = {"queued", "running", "up_for_retry", "deferred", None}
        assert {state for state in ended | going_on if is_producer_task_terminated(state)} == ended


def test_the_task_starts_in_the_triggerer(in_airflow: InAirflow) -> None:
    printed = in_airflow(
        "from airflow.serialization.serialized_objects import DagSerialization\n"
        "from airflow.models.trigger import Trigger\n"
        "from airflow.sdk._shared.module_loading import import_string\n"
        "kept = DagSerialization.from_dict(DagSerialization.to_dict(dag))\n"
        "task = kept.get_task('models.stg_weather')\n"
        "args = task.start_trigger_args\n"
        "row = Trigger(classpath=args.trigger_cls, kwargs=args.trigger_kwargs)\n"
        "trigger = import_string(row.classpath)(**row.kwargs)\n"
        "next = callable(getattr(dag.get_task('models.stg_weather'), args.next_method))\n"
        "print(json.dumps([task.start_from_trigger, next, trigger.serialize()]))",
        WEATHER_RUNTIME="kubernetes",
        WEATHER_IMAGE_TAG="abc123",
        WEATHER_DBT_PODS="watcher",
    )
    assert json.loads(printed) == [
        True,
        True,
        [
            "orchestration.model_trigger.ModelTrigger",
            {"producer": PRODUCER, "unique_id": MODEL, "tested": True},
        ],
    ]


def test_the_producer_is_retried_without_delay(in_airflow: InAirflow) -> None:
    """The models' own pods wait for the producer's second try, which builds nothing."""
    printed = in_airflow(
        f"task = dag.get_task('{PRODUCER}')\n"
        "print(json.dumps([task.retries > 0, task.retry_delay.total_seconds()]))",
        WEATHER_RUNTIME="kubernetes",
        WEATHER_IMAGE_TAG="abc123",
        WEATHER_DBT_PODS="watcher",
    )
    assert json.loads(printed) == [True, 1.0]


# Cosmos imports what Airflow has moved.
@pytest.mark.filterwarnings("ignore:The `airflow.utils.timezone.utcnow` attribute is deprecated")
def test_the_models_own_pod_starts_after_the_shared_pod(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from orchestration import model_pods

    monkeypatch.setattr("orchestration.step_pod.time.sleep", lambda _: None)
    task = model_pods.SharedModelPod(
        task_id="stg_weather",
        producer=PRODUCER,
        unique_id=MODEL,
        tested=True,
        project_dir="/app/dbt_project",
        namespace="weather",
    )
    cluster = Cluster(
        pod("all-models", "Running", task_id=PRODUCER),
        pod("another-run", "Running", task_id=PRODUCER, run_id="before"),
    )
    task.__dict__["client"] = cluster
    ti = SimpleNamespace(
        dag_id="weather_pipeline", task_id="models.stg_weather", map_index=-1, try_number=1
    )
    context: Any = {"ti": ti, "run_id": "now", "dag": SimpleNamespace()}
    made = task.get_or_create_pod(pod("new", "Pending", task_id="models.stg_weather"), context)
    assert made.metadata.name == "new"
    assert cluster.made == [("new", ["another-run"])]
