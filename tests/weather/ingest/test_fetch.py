"""Retries of failed attempts: backoff, deadline, and failures without retries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weather.ingest.fetch import RetryPolicy, jittered
from weather.ingest.http_json import AttemptFailed, FailureKind


def waits_of(retry_policy: RetryPolicy, *troubles: FailureKind) -> list[float]:
    """Return the waits between attempts that fail with these failures in order."""
    waits: list[float] = []
    remaining = iter(troubles)

    def fail() -> None:
        raise AttemptFailed(next(remaining), "reason")

    def note(state: object) -> None:
        waits.append(state.next_action.sleep)  # type: ignore[attr-defined]

    retrying = retry_policy.retrying(note).copy(sleep=lambda seconds: None)
    with pytest.raises(AttemptFailed):
        retrying(fail)
    return waits


def test_backoff_doubles_with_jitter_up_to_the_last_attempt() -> None:
    waits = waits_of(RetryPolicy(), *[FailureKind.SERVER_ERROR] * 5)
    assert len(waits) == 4
    for wait, least in zip(waits, (2, 4, 8, 16), strict=True):
        assert least <= wait <= least * 1.1


def test_backoff_after_the_minutely_limit_is_a_minute() -> None:
    waits = waits_of(RetryPolicy(), *[FailureKind.MINUTELY_LIMIT] * 5)
    assert all(60 <= wait <= 66 for wait in waits)


def test_backoff_is_limited() -> None:
    waits = waits_of(RetryPolicy(attempts=12, deadline=9999), *[FailureKind.TIMEOUT] * 12)
    assert all(wait <= 66 for wait in waits)


@pytest.mark.parametrize(
    "kind", [FailureKind.HOURLY_LIMIT, FailureKind.DAILY_LIMIT, FailureKind.REFUSED]
)
def test_permanent_failures_are_not_retried(kind: FailureKind) -> None:
    assert waits_of(RetryPolicy(), kind) == []


def test_no_attempt_starts_after_the_deadline() -> None:
    assert waits_of(RetryPolicy(deadline=1), *[FailureKind.TIMEOUT] * 5) == []


@given(st.floats(0, 1000))
def test_jitter_adds_up_to_a_tenth(seconds: float) -> None:
    assert seconds <= jittered(seconds) <= seconds * 1.1
