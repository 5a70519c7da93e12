"""A task's log outlives its pods."""

import pytest

from tests.cluster.conftest import WatchedRun
from tests.cluster.namespaces import AIRFLOW, WEATHER
from tests.cluster.system import System
from tests.cluster.waiting import wait_for

SECONDS_TO_DELETE = 60


@pytest.mark.parametrize(
    ("task_id", "map_index", "written"),
    [
        ("ingest", 0, '"accepted": 3'),
        ("models.stg_weather", -1, "Completed successfully"),
        ("publish", -1, '"snapshot_id": '),
    ],
)
def test_a_log_can_be_read_after_the_pods_are_gone(
    system: System, finished_run: WatchedRun, task_id: str, map_index: int, written: str
) -> None:
    run_id = finished_run.run_id
    wait_for(
        f"the pods of run {run_id} are gone",
        lambda: (
            not any(
                system.cluster.pods(namespace, f"run_id={run_id}")
                for namespace in (WEATHER, AIRFLOW)
            )
        ),
        SECONDS_TO_DELETE,
        system.cluster.picture,
    )
    assert written in system.airflow.log(run_id, task_id, try_number=1, map_index=map_index)
