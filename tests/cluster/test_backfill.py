"""`airflow backfill create` repeats hours of other runs."""

import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.cluster.airflow import DAG_ID
from tests.cluster.conftest import WatchedRun
from tests.cluster.expectation import MINUTE_OF_THE_SCHEDULE
from tests.cluster.namespaces import AIRFLOW
from tests.cluster.system import System
from tests.cluster.waiting import wait_for

HOUR = timedelta(hours=1)
SECONDS_FOR_ALL_RUNS = 600


def test_a_backfill_during_another_run_duplicates_nothing(
    system: System, finished_run: WatchedRun
) -> None:
    now = datetime.now(UTC)
    last = now.replace(minute=MINUTE_OF_THE_SCHEDULE, second=0, microsecond=0) - 26 * HOUR
    create(first=last - 2 * HOUR, last=last)
    beside = system.trigger("beside-a-backfill")

    def ended() -> list[dict[str, Any]] | None:
        runs = system.airflow.when_available(
            lambda: system.airflow.runs(
                run_type="backfill", run_after_gte=(last - 2 * HOUR).isoformat()
            )
        )
        return runs if runs and all(run["state"] in {"success", "failed"} for run in runs) else None

    runs = wait_for(
        "the backfill's runs end",
        ended,
        SECONDS_FOR_ALL_RUNS,
        lambda: f"{system.airflow.runs(run_type='backfill')}\n{system.cluster.picture()}",
    )
    assert [run["state"] for run in runs] == ["success"] * 3
    assert [run["logical_date"] for run in runs] == [
        (last - age * HOUR).isoformat().replace("+00:00", "Z") for age in (2, 1, 0)
    ]
    system.await_success(beside)
    periods = sorted(
        writing_period(system, run_id) for run_id in [beside, *(run["dag_run_id"] for run in runs)]
    )
    assert all(end <= next_begin for (_, end), (next_begin, _) in pairwise(periods)), periods
    system.assert_nothing_lost_nothing_doubled()


def writing_period(system: System, run_id: str) -> tuple[str, str]:
    """Return the start and the end of the time when a run may write to the lake, in UTC."""
    [first_task] = [
        each for each in system.airflow.task_instances(run_id) if each["task_id"] == "ingest"
    ]
    return first_task["end_date"], system.airflow.run(run_id)["end_date"]


def create(first: datetime, last: datetime) -> None:
    """Run `airflow backfill create` in the scheduler's pod."""
    command = ["airflow", "backfill", "create", "--dag-id", DAG_ID]
    dates = ["--from-date", first.isoformat(), "--to-date", last.isoformat()]
    options = ["--max-active-runs", "2", "--reprocess-behavior", "completed"]
    place = ["kubectl", "exec", "--namespace", AIRFLOW, "deployment/airflow-scheduler"]
    created = subprocess.run(
        [*place, "--container", "scheduler", "--", *command, *dates, *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert created.returncode == 0, created.stdout + created.stderr
