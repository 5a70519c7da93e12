"""Runs take turns in the lake, whoever started them: its tables have one writer at a time."""

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowRescheduleException

from weather.notices import is_dags_test

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 1.0
PATIENCE = timedelta(minutes=1)
"""How long one that waits keeps the first tasks of other runs from running, the writer's too."""

PAUSE = timedelta(seconds=30)
"""Shorter, and Airflow may take the end of one try for the end of the next."""

WAITING_STATES = [
    "scheduled",
    "queued",
    "running",
    "restarting",
    "up_for_retry",
    "up_for_reschedule",
    "deferred",
]
"""States of a first task that has not ended, in a run that is under way."""


def wait_for_other_runs(context: Context) -> None:
    """Keep a run's first task waiting while another run is between this task's end and its own end.

    Airflow counts a backfill's runs apart from the DAG's others, so `max_active_runs` lets one of
    each run at the same time. It suffices that the first of the mapped tasks asks, and that
    Airflow runs one of them at a time over all runs (`max_active_tis_per_dag`): then no two runs
    find the lake free at once.

    Raises:
        AirflowRescheduleException: it is still another run's turn; no try is used up.
    """
    task = context["ti"]
    # A run of `airflow dags test` that was interrupted is under way for ever.
    if (task.map_index or 0) > 0 or is_dags_test():
        return
    if not other_run_writes(task):
        return
    log.info("Another run writes to the lake; this one waits for its turn.")
    end_of_patience = datetime.now(UTC) + PATIENCE
    while other_run_writes(task):
        now = datetime.now(UTC)
        if now >= end_of_patience:
            log.info("It is still another run's turn; asking again in %s.", PAUSE)
            raise AirflowRescheduleException(now + PAUSE)  # type: ignore[no-untyped-call]
        time.sleep(SECONDS_BETWEEN_LOOKS)


def other_run_writes(task: Any) -> bool:
    """Whether another run than the task's own is past its first task and has not ended.

    Args:
        task: the running task instance, the first of its run's.
    """
    # In this order: a run that begins in between is waited for once too often, and not overlooked.
    at_the_door = task.get_ti_count(
        task.dag_id, task_ids=[task.task_id], map_index=0, states=WAITING_STATES
    )
    under_way = task.get_dr_count(task.dag_id, states=["running"])
    return bool(under_way > at_the_door)
