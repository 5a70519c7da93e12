"""Retry decision after each exit code of a step."""

from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction
from hypothesis import given
from hypothesis import strategies as st
from orchestration.retry_policy import StepFailed, StepRetryPolicy, decision

from weather.errors import ExitCode

NOW = datetime(2026, 11, 20, 5, 59, 30, tzinfo=UTC)


@pytest.mark.parametrize("code", [ExitCode.SETTING, ExitCode.REJECTED, ExitCode.REFUSED])
def test_a_permanent_error_is_not_retried(code: ExitCode) -> None:
    assert decision(code, NOW).action is RetryAction.FAIL


@pytest.mark.parametrize("code", [-9, -15, 137, 143])
def test_a_killed_step_is_retried_soon(code: int) -> None:
    assert decision(code, NOW).retry_delay == timedelta(seconds=5)


@pytest.mark.parametrize("code", [ExitCode.UNEXPECTED, ExitCode.UNAVAILABLE, 134])
def test_other_exit_codes_use_the_tasks_retries(code: int) -> None:
    assert decision(code, NOW).action is RetryAction.DEFAULT


def test_a_retry_waits_for_the_end_of_the_hourly_limit() -> None:
    assert decision(ExitCode.WAIT_NEXT_HOUR, NOW).retry_delay == timedelta(minutes=3, seconds=30)


def test_a_retry_waits_for_the_end_of_the_daily_limit() -> None:
    assert decision(ExitCode.WAIT_NEXT_DAY, NOW).retry_delay == (
        datetime(2026, 11, 21, 0, 3, tzinfo=UTC) - NOW
    )


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda now: now.year < 9999))
def test_a_retry_comes_soon_after_the_limit_is_reset(now: datetime) -> None:
    hour = decision(ExitCode.WAIT_NEXT_HOUR, now).retry_delay
    day = decision(ExitCode.WAIT_NEXT_DAY, now).retry_delay
    assert hour is not None
    assert day is not None
    assert timedelta(0) < hour <= timedelta(hours=1, minutes=3)
    assert timedelta(0) < day <= timedelta(days=1, minutes=3)
    assert (now + hour).hour == (now.hour + 1) % 24
    assert (now + day).date() == now.date() + timedelta(days=1)


def test_the_policy_evaluates_failed_steps_only() -> None:
    policy = StepRetryPolicy.deserialize(StepRetryPolicy().serialize())
    assert policy.evaluate(StepFailed("no", ExitCode.REFUSED), 1, 3).action is RetryAction.FAIL
    assert policy.evaluate(RuntimeError("no"), 1, 3).action is RetryAction.DEFAULT
