"""Notices of late runs and failed tasks, posted to a webhook.

Airflow calls this module where a task ran and in its triggerer.
"""

import asyncio
import json
import logging
import sys
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from weather.errors import StepError
from weather.settings import NoticeSettings, read_settings

if TYPE_CHECKING:
    from airflow.sdk.definitions.deadline import DeadlineAlert

LONGEST_REASON = 500
"""Limit of the characters of an exception's message in a notice."""

TIMEOUT_SECONDS = 10

log = logging.getLogger(__name__)


def is_dags_test() -> bool:
    """Return whether this process is `airflow dags test`: one run in the foreground."""
    return sys.argv[1:3] == ["dags", "test"]


def deadline_alert(within: timedelta) -> "DeadlineAlert | None":
    """Create the alert for a run that has not ended within this time after it was queued.

    `airflow dags test` gets None, because it fails on every DAG with a deadline
    (apache/airflow#73428).
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
    """Send a notice of a late run. The triggerer calls this.

    Args:
        minutes: the deadline.
        context: `dag_run` as Airflow's REST API shows it.
    """
    run = context["dag_run"]
    if _is_late(run):
        text = (
            f"{run['dag_id']}: run {run['dag_run_id']} has not ended {minutes} minutes after it "
            f"was queued at {_to_the_minute(run['queued_at'])}. Readers still see the snapshot "
            "before it."
        )
        await asyncio.to_thread(send, text, "run-late", _run_url(run))


def _is_late(run: Mapping[str, Any]) -> bool:
    """Return whether a run past its deadline needs a notice.

    Airflow removes the deadline of a successful run, but keeps that of a failed one, whose task
    has sent a notice already. A backfill's runs are all queued at once.
    """
    waits = run["run_type"] == "backfill" and run["start_date"] is None
    return run["end_date"] is None and not waits


def _run_url(run: Mapping[str, Any]) -> str:
    """Return the URL of the run's page in Airflow."""
    from airflow.configuration import conf

    base = conf.get("api", "base_url", fallback=None) or "http://localhost:8080/"
    return f"{base.rstrip('/')}/dags/{run['dag_id']}/runs/{quote(run['dag_run_id'])}"


def announce_failure(context: Mapping[str, Any]) -> None:
    """Send a notice of a task whose last try has failed. Airflow calls this where the task ran.

    Args:
        context: the task's; without `exception` where the task's process was lost.
    """
    task, tries = context["ti"], context["ti"].try_number
    reason = " ".join(str(context.get("exception") or "the task was lost").split())
    text = (
        f"{task.dag_id}: {task.task_id} failed after {tries} {'try' if tries == 1 else 'tries'}, "
        f"in run {task.run_id} that began at {_to_the_minute(context['dag_run'].start_date)}: "
        f"{reason[:LONGEST_REASON]}"
    )
    send(text, "WeatherRunsFail", task.log_url)


def _to_the_minute(moment: datetime | str | None) -> str:
    """Format a time, or ISO 8601 text, in UTC."""
    if moment is None:
        return "an unknown time"
    parsed = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{parsed.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def send(text: str, runbook: str, log_url: str) -> bool:
    """Log a notice and post it as `{"text": ...}`, the format of Slack and Mattermost.

    Without WEATHER_NOTICE_URL the notice is only logged. A webhook that fails is a warning in the
    log. The webhook's address is never logged, because it is a secret.

    Args:
        text: what failed, and since when.
        runbook: the page's name in docs/runbooks.
        log_url: the address of the log in Airflow.

    Returns:
        Whether the webhook accepted the notice.
    """
    try:
        settings = read_settings(NoticeSettings)
    except StepError as error:
        log.warning("Notice not sent: %s", error)
        return False
    runbooks = settings.weather_runbooks.rstrip("/")
    message = f"{text}\nLog: {log_url}\nWhat to do: {runbooks}/{runbook}.md"
    log.error("%s", message)
    if settings.weather_notice_url is None:
        return False
    request = urllib.request.Request(  # noqa: S310 (the setting allows http and https alone)
        settings.weather_notice_url,
        data=json.dumps({"text": message}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            if response.url == request.full_url:
                return True
            # urllib follows a redirect with a GET, which drops the body.
            log.warning("Notice not sent: the webhook of WEATHER_NOTICE_URL redirects.")
            return False
    except (OSError, HTTPException, ValueError) as error:
        log.warning("Notice not sent: the webhook of WEATHER_NOTICE_URL failed: %s", error)
        return False
