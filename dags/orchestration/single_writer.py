"""Wait for other runs, because the lake's tables have one writer at a time."""

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowRescheduleException

from weather.notices import is_dags_test

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
HOLD_SLOT = timedelta(minutes=1)
"""Time to hold the task's slot before rescheduling: other runs' first tasks need that slot."""

RESCHEDULE_DELAY = timedelta(seconds=30)
"""Delay of a rescheduled task. With a shorter delay, Airflow may confuse the task's tries."""

WAITING_STATES = [
    "scheduled",
    "queued",
    "running",
    "restarting",
    "up_for_retry",
    "up_for_reschedule",
    "deferred",
]
"""States of a first task that has not ended, so its run has not written yet."""


def wait_for_other_runs(context: Context) -> None:
    """Wait in a run's first task while another run writes to the lake.

    `max_active_runs` does not exclude such a run, because Airflow counts a backfill's runs apart.
    Only the first of the mapped tasks waits. Airflow runs one of these at a time over all runs
    (`max_active_tis_per_dag`), so two runs never find the lake free at once.

    Raises:
        AirflowRescheduleException: another run still writes; rescheduling uses up no try.
    """
    task = context["ti"]
    # An interrupted run of `airflow dags test` stays in the state "running" for ever.
    if (task.map_index or 0) > 0 or is_dags_test():
        return
    if not other_run_writes(task):
        return
    log.info("Waiting: another run writes to the lake.")
    until = datetime.now(UTC) + HOLD_SLOT
    while other_run_writes(task):
        now = datetime.now(UTC)
        if now >= until:
            log.info("Another run still writes to the lake. Rescheduled in %s.", RESCHEDULE_DELAY)
            raise AirflowRescheduleException(now + RESCHEDULE_DELAY)  # type: ignore[no-untyped-call]
        time.sleep(POLL_SECONDS)


def other_run_writes(task: Any) -> bool:
    """Return whether another run may write: its first task has ended, the run has not.

    Args:
        task: the running task instance, the first of its run.
    """
    # In this order: a run that starts in between counts as a writer, and is not overlooked.
    waiting = task.get_ti_count(
        task.dag_id, task_ids=[task.task_id], map_index=0, states=WAITING_STATES
    )
    active = task.get_dr_count(task.dag_id, states=["running"])
    return bool(active > waiting)
