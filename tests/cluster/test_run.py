"""A run triggered by Airflow's REST API."""

from pathlib import Path

import pytest

from bench.cluster import phases_of_run, table_of_phases
from tests.cluster.conftest import WatchedRun
from tests.cluster.namespaces import AIRFLOW, WEATHER
from tests.cluster.pod_watch import of_task
from tests.cluster.system import System
from tests.cluster.waiting import wait_for

PROJECT = Path(__file__).resolve().parents[2]
SECONDS_TO_DELETE = 60

MODELS = sorted(
    path.stem
    for path in (PROJECT / "dbt_project" / "models").glob("*.sql")
    if "materialized='ephemeral'" not in path.read_text(encoding="utf-8")
)
STEPS = ["ingest", *(f"models.{model}" for model in MODELS), "publish"]


def test_the_project_has_models() -> None:
    assert "daily_weather_stats" in MODELS
    assert len(MODELS) >= 3


@pytest.mark.parametrize("task_id", STEPS)
def test_each_step_had_its_own_pod(finished_run: WatchedRun, task_id: str) -> None:
    steps = finished_run.pods.events(of_task(WEATHER, finished_run.run_id, task_id))
    assert len({each.uid for each in steps}) == 1
    assert [end.state.terminated.exit_code for end in steps[-1].pod.status.container_statuses] == [
        0
    ]

    labels = steps[0].labels
    assert labels["dag_id"] == "weather_pipeline"
    assert labels["app.kubernetes.io/part-of"] == "weather-pipeline"
    assert labels["weather/step"] == ("ingest" if task_id == "ingest" else "dbt")
    others = finished_run.pods.events(
        lambda each: each.uid == steps[0].uid and each.labels["task_id"] != task_id
    )
    assert not others


@pytest.mark.parametrize("namespace", [WEATHER, AIRFLOW])
def test_the_pods_of_a_successful_run_are_deleted(
    system: System, finished_run: WatchedRun, namespace: str
) -> None:
    wait_for(
        f"no pod of run {finished_run.run_id} is left",
        lambda: not system.cluster.pods(namespace, f"run_id={finished_run.run_id}"),
        SECONDS_TO_DELETE,
        system.cluster.picture,
    )


def test_the_api_returns_the_sources_values(system: System, finished_run: WatchedRun) -> None:
    system.assert_nothing_lost_nothing_doubled()


def test_the_phases_of_a_run_add_up(
    system: System, finished_run: WatchedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    phases = phases_of_run(
        system.airflow, finished_run.pods, finished_run.run_id, finished_run.triggered
    )
    with capsys.disabled():
        print(f"\nFrom trigger to published:\n{table_of_phases(phases)}")
    assert list(phases) == ["ingest", "models.stg_weather", *list(phases)[2:-1], "publish"]
    assert all(seconds >= 0 for task in phases.values() for seconds in task.values())
