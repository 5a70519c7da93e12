"""What the pipeline says when a run is late, and when a task has failed for good."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from weather.airflow_command import is_dags_test
from weather.webhook import tell

if TYPE_CHECKING:
    from airflow.sdk.definitions.deadline import DeadlineAlert

LONGEST_REASON = 500


def deadline_alert(within: timedelta) -> "DeadlineAlert | None":
    """An alert for each run that has not ended that long after it was queued.

    None in `airflow dags test`, which fails on every DAG with a deadline (apache/airflow#73428)
    and has nobody to alert but the person who started it.
    """
    if is_dags_test():
        return None
    from airflow.sdk.definitions.callback import AsyncCallback
    from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=within,
        callback=AsyncCallback(
            announce_late_run, kwargs={"minutes": within // timedelta(minutes=1)}
        ),
    )


async def announce_late_run(minutes: int, context: dict[str, Any]) -> None:
    """Tell which run is late; called in the triggerer.

    Args:
        minutes: how long the run was given.
        context: `dag_run` as Airflow's REST API shows it.
    """
    run = context["dag_run"]
    if is_under_way(run):
        await asyncio.to_thread(tell, late_run(run, minutes), "run-late", run_url(run))


def is_under_way(run: Mapping[str, Any]) -> bool:
    """Whether a run that has passed its deadline is late, and neither red nor in a long queue.

    Airflow takes a deadline back when a run ends well, and leaves that of one which ended red; a
    failed task has been told then. A backfill's runs are all queued at once and take their turns.
    """
    waits = run["run_type"] == "backfill" and run["start_date"] is None
    return run["end_date"] is None and not waits


def late_run(run: Mapping[str, Any], minutes: int) -> str:
    """What is said of a late run."""
    return (
        f"{run['dag_id']}: run {run['dag_run_id']} has not ended {minutes} minutes after it was "
        f"queued at {moment(run['queued_at'])}. Readers still see the snapshot before it."
    )


def run_url(run: Mapping[str, Any]) -> str:
    """Where Airflow shows the run."""
    from airflow.configuration import conf

    base = conf.get("api", "base_url", fallback=None) or "http://localhost:8080/"
    return f"{base.rstrip('/')}/dags/{run['dag_id']}/runs/{quote(run['dag_run_id'])}"


def announce_failure(context: Mapping[str, Any]) -> None:
    """Tell which task has failed after all of its tries; called by Airflow where the task ran.

    Args:
        context: the task's; without `exception` where the task was lost.
    """
    task = context["ti"]
    tell(
        failed_task(
            f"{task.dag_id}: {task.task_id}",
            run_id=task.run_id,
            tries=task.try_number,
            since=context["dag_run"].start_date,
            reason=context.get("exception"),
        ),
        "WeatherRunsFail",
        task.log_url,
    )


def failed_task(
    task: str, *, run_id: str, tries: int, since: datetime | None, reason: object
) -> str:
    """What is said of a failed task.

    Args:
        task: its name.
        run_id: the run that it belongs to.
        tries: how often it was tried.
        since: when the run began.
        reason: an exception or its message; None where nothing is known.
    """
    words = " ".join(str(reason or "the task was lost").split())
    return (
        f"{task} failed after {tries} {'try' if tries == 1 else 'tries'}, in run {run_id} that "
        f"began at {moment(since)}: {words[:LONGEST_REASON]}"
    )


def moment(when: datetime | str | None) -> str:
    """A time in UTC, to the minute.

    Args:
        when: a time, or ISO 8601 text.
    """
    if when is None:
        return "an unknown time"
    parsed = datetime.fromisoformat(when) if isinstance(when, str) else when
    return f"{parsed.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
