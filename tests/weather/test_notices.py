"""Send notices to a real webhook, also to a failing one."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.webhook_server import WebhookServer, webhook_server
from weather import notices
from weather.notices import (
    LONGEST_REASON,
    announce_failure,
    announce_late_run,
    deadline_alert,
    send,
)

RUN_ID = "scheduled__2026-11-20T05:07:00+00:00"
LOG = f"https://airflow.example.org/dags/weather_pipeline/runs/{RUN_ID}/tasks/ingest?try_number=5"

FAILURE: dict[str, Any] = {
    "ti": SimpleNamespace(
        dag_id="weather_pipeline", task_id="ingest", run_id=RUN_ID, try_number=5, log_url=LOG
    ),
    "dag_run": SimpleNamespace(start_date=datetime(2026, 11, 20, 5, 7, 3, tzinfo=UTC)),
    "exception": RuntimeError("new-york: 'hourly_units' is not\nas requested"),
}

LATE: dict[str, Any] = {
    "dag_run": {
        "dag_id": "weather_pipeline",
        "dag_run_id": RUN_ID,
        "queued_at": "2026-11-20T05:07:01Z",
        "start_date": "2026-11-20T05:07:02Z",
        "end_date": None,
        "run_type": "scheduled",
    }
}


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebhookServer]:
    with webhook_server() as server:
        monkeypatch.setenv("WEATHER_NOTICE_URL", server.url)
        yield server


def test_a_failure_notice_has_run_reason_log_and_runbook(
    webhook: WebhookServer,
) -> None:
    announce_failure(FAILURE)
    [text] = webhook.texts
    assert text == (
        "weather_pipeline: ingest failed after 5 tries, in run "
        f"{RUN_ID} that began at 2026-11-20 05:07 UTC: "
        "new-york: 'hourly_units' is not as requested\n"
        f"Log: {LOG}\n"
        "What to do: docs/runbooks/WeatherRunsFail.md"
    )


def test_a_late_run_notice_has_run_log_and_runbook(
    webhook: WebhookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.org/")
    monkeypatch.setenv("WEATHER_RUNBOOKS", "https://example.org/runbooks/")
    asyncio.run(announce_late_run(minutes=45, context=LATE))
    [text] = webhook.texts
    assert text == (
        f"weather_pipeline: run {RUN_ID} has not ended 45 minutes after it was queued at "
        "2026-11-20 05:07 UTC. Readers still see the snapshot before it.\n"
        "Log: https://airflow.example.org/dags/weather_pipeline/runs/"
        "scheduled__2026-11-20T05%3A07%3A00%2B00%3A00\n"
        "What to do: https://example.org/runbooks/run-late.md"
    )


@pytest.mark.parametrize(
    "run",
    [{"end_date": "2026-11-20T05:09:00Z"}, {"run_type": "backfill", "start_date": None}],
    ids=["failed", "queued by a backfill"],
)
def test_an_ended_or_backfilled_run_is_not_late(
    webhook: WebhookServer, run: dict[str, str | None]
) -> None:
    asyncio.run(announce_late_run(minutes=45, context={"dag_run": {**LATE["dag_run"], **run}}))
    assert webhook.texts == []


def test_a_scheduled_run_that_cannot_start_is_late(webhook: WebhookServer) -> None:
    waiting = {**LATE["dag_run"], "start_date": None}
    asyncio.run(announce_late_run(minutes=45, context={"dag_run": waiting}))
    assert len(webhook.texts) == 1


def test_a_lost_task_has_no_reason_and_a_long_reason_is_cut(webhook: WebhookServer) -> None:
    announce_failure({key: value for key, value in FAILURE.items() if key != "exception"})
    announce_failure({**FAILURE, "exception": RuntimeError("x" * 9000)})
    lost, long = webhook.texts
    assert "UTC: the task was lost\n" in lost
    assert f"UTC: {'x' * LONGEST_REASON}\n" in long


def test_without_a_webhook_url_a_notice_is_only_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("WEATHER_NOTICE_URL", raising=False)
    assert send("the words", "run-late", LOG) is False
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith("the words\nLog: ")


@pytest.mark.parametrize("status", [404, 500])
def test_a_webhook_error_is_logged_as_a_warning(
    webhook: WebhookServer, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    webhook.status = status
    assert send("the words", "run-late", LOG) is False
    assert webhook.texts
    assert_warned_without_the_secret(caplog, str(status))


def test_a_webhook_that_never_responds_times_out(
    webhook: WebhookServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "TIMEOUT_SECONDS", 0.2)
    webhook.silent_until = threading.Event()
    assert send("the words", "run-late", LOG) is False
    assert_warned_without_the_secret(caplog, "timed out")


def test_a_webhook_redirect_is_logged_as_a_warning(
    webhook: WebhookServer, caplog: pytest.LogCaptureFixture
) -> None:
    webhook.status = 302
    assert send("the words", "run-late", LOG) is False
    assert_warned_without_the_secret(caplog, "redirects")


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/hooks/secret-part",
        "http://127.0.0.1:1/hooks/secret-part/é",
        "http:// secret-part",
        "secret-part",
    ],
)
def test_an_unreachable_webhook_is_logged_as_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    monkeypatch.setenv("WEATHER_NOTICE_URL", address)
    announce_failure(FAILURE)
    assert_warned_without_the_secret(caplog, "WEATHER_NOTICE_URL")


def assert_warned_without_the_secret(caplog: pytest.LogCaptureFixture, words: str) -> None:
    warnings = [each for each in caplog.records if each.levelno == logging.WARNING]
    [message] = [each.getMessage() for each in warnings]
    assert message.startswith("Notice not sent: ")
    assert words in message
    assert "secret-part" not in caplog.text


def test_dags_test_has_no_deadline_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["airflow", "scheduler"])
    alert = deadline_alert(timedelta(minutes=45))
    assert alert is not None
    assert alert.interval == timedelta(minutes=45)
    assert alert.callback.kwargs == {"minutes": 45}
    monkeypatch.setattr("sys.argv", ["airflow", "dags", "test"])
    assert deadline_alert(timedelta(minutes=45)) is None
