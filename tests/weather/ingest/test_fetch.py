import pytest
from hypothesis import given
from hypothesis import strategies as st

from weather.ingest.fetch import RetryPolicy, jittered
from weather.ingest.parse import AttemptFailed, FailureKind


def waits_of(retry_policy: RetryPolicy, *troubles: FailureKind) -> list[float]:
    """The waits before each new try of something that has these troubles in turn."""
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


def test_waits_double_with_a_bit_of_jitter_and_end_after_the_last_try() -> None:
    waits = waits_of(RetryPolicy(), *[FailureKind.SERVER_ERROR] * 5)
    assert len(waits) == 4
    for wait, least in zip(waits, (2, 4, 8, 16), strict=True):
        assert least <= wait <= least * 1.1


def test_a_used_up_minute_is_waited_for() -> None:
    waits = waits_of(RetryPolicy(), *[FailureKind.MINUTELY_LIMIT] * 5)
    assert all(60 <= wait <= 66 for wait in waits)


def test_no_wait_is_longer_than_the_longest() -> None:
    waits = waits_of(RetryPolicy(attempts=12, deadline=9999), *[FailureKind.TIMEOUT] * 12)
    assert all(wait <= 66 for wait in waits)


@pytest.mark.parametrize(
    "kind", [FailureKind.HOURLY_LIMIT, FailureKind.DAILY_LIMIT, FailureKind.REFUSED]
)
def test_what_another_try_cannot_mend_is_not_tried_again(kind: FailureKind) -> None:
    assert waits_of(RetryPolicy(), kind) == []


def test_no_try_starts_after_the_deadline() -> None:
    assert waits_of(RetryPolicy(deadline=1), *[FailureKind.TIMEOUT] * 5) == []


@given(st.floats(0, 1000))
def test_jitter_makes_a_wait_up_to_a_tenth_longer(seconds: float) -> None:
    assert seconds <= jittered(seconds) <= seconds * 1.1
