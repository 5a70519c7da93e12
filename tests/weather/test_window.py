"""Windows of whole hours: bounds, keys, pieces and run parameters."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.weather.ingest.examples import windows
from weather.errors import ExitCode, StepError
from weather.window import (
    HOUR,
    Window,
    first_hour_from,
    lookback_window,
    parse_moment,
    wide_window,
    window_of_environment,
    window_of_key,
)

FIVE = datetime(2026, 11, 20, 5, tzinfo=UTC)

zones = st.builds(
    lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-14 * 60, 14 * 60)
)
moments = st.datetimes(
    min_value=datetime(2020, 1, 3), max_value=datetime(2100, 1, 1), timezones=zones
)


@given(moments)
def test_first_hour_from_rounds_up_to_the_hour(
    moment: datetime,
) -> None:
    hour = first_hour_from(moment)
    assert timedelta(0) <= hour - moment < HOUR
    assert (hour.minute, hour.second, hour.microsecond) == (0, 0, 0)
    assert hour.utcoffset() == timedelta(0)
    assert first_hour_from(hour) == hour


@given(moments, st.integers(1, 2160))
def test_a_lookback_window_ends_with_the_last_past_hour(end: datetime, hours: int) -> None:
    window = lookback_window(end, hours)
    assert window.hours == hours
    assert window.last_hour < end <= window.end


@given(windows(), st.integers(1, 500))
def test_pieces_cover_a_window_without_gap_or_overlap(window: Window, hours: int) -> None:
    pieces = list(window.pieces(hours))
    assert (pieces[0].start, pieces[-1].end) == (window.start, window.end)
    assert all(one.end == other.start for one, other in pairwise(pieces))
    assert all(piece.hours == hours for piece in pieces[:-1])
    assert pieces[-1].hours <= hours


@given(windows(), windows())
def test_keys_sort_by_time_and_identify_the_window(one: Window, other: Window) -> None:
    assert (one.key < other.key) == ((one.start, one.end) < (other.start, other.end))
    assert (one.key == other.key) == (one == other)
    assert window_of_key(one.key) == one


def test_a_key_has_start_and_end() -> None:
    assert Window(FIVE, FIVE + HOUR).key == "20261120T0500Z_20261120T0600Z"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (FIVE, FIVE),
        (FIVE + HOUR, FIVE),
        (FIVE + timedelta(minutes=1), FIVE + HOUR),
        (FIVE, FIVE + timedelta(microseconds=1)),
        (FIVE.astimezone(timezone(timedelta(hours=1))), FIVE + HOUR),
        (FIVE.replace(tzinfo=None), FIVE + HOUR),
    ],
)
def test_bounds_other_than_whole_hours_in_utc_are_rejected(start: datetime, end: datetime) -> None:
    with pytest.raises(ValueError, match=r"is not a whole hour in UTC|is not before"):
        Window(start, end)


@given(moments)
def test_a_moment_with_an_offset_is_converted_to_utc(moment: datetime) -> None:
    read = parse_moment(moment.isoformat())
    assert read == moment
    assert read.utcoffset() == timedelta(0)


def test_a_moment_without_an_offset_is_in_utc() -> None:
    assert parse_moment("2026-11-20T05:00") == parse_moment("2026-11-20T05:00Z") == FIVE
    assert parse_moment("2026-11-20") == FIVE.replace(hour=0)


@given(run_end=moments, lookback=st.integers(1, 300))
def test_a_run_without_params_has_the_lookback_window(run_end: datetime, lookback: int) -> None:
    assert wide_window(None, None, run_end, lookback) == lookback_window(run_end, lookback)
    assert wide_window("", "", run_end, lookback) == lookback_window(run_end, lookback)


@given(st.lists(moments, min_size=3, max_size=3).map(sorted), st.booleans())
def test_a_wide_window_has_no_future_hours(ordered: list[datetime], is_over: bool) -> None:
    start, earlier, later = ordered
    end, run_end = (earlier, later) if is_over else (later, earlier)
    assume(first_hour_from(start) < first_hour_from(earlier))
    window = wide_window(start.isoformat(), end.isoformat(), run_end, 168)
    assert window.start == first_hour_from(start)
    assert window.last_hour < min(end, run_end)


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-11-20T05:00", "2026-11-20T05:00"), ("2026-11-21", None), ("yesterday", None)],
)
def test_invalid_params_are_rejected(start: str, end: str | None) -> None:
    with pytest.raises(ValueError, match=r"window_start: '.*'"):
        wide_window(start, end, FIVE + 12 * HOUR, 168)


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "9999-12-31T23:30:00Z"]
)
def test_a_moment_outside_the_calendar_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="is not within the years 1 to 9999"):
        first_hour_from(parse_moment(text))
    with pytest.raises(StepError, match="WEATHER_WINDOW_START, WEATHER_WINDOW_END: ") as failure:
        window_of_environment(text, text)
    assert failure.value.exit_code == ExitCode.SETTING


def test_the_window_comes_from_the_environment() -> None:
    window = window_of_environment("2026-11-20T05:00:00+00:00", "2026-11-20T07:00:00+01:00")
    assert window == Window(FIVE, FIVE + HOUR)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (None, "2026-11-20T05:00", "WEATHER_WINDOW_START is missing"),
        ("2026-11-20T05:00", "", "WEATHER_WINDOW_END is missing"),
        ("2026-11-20T05:00", "2026-11-20T05:00", "is not before"),
        ("2026-11-20T05:00", "2026-11-20T05:30", "is not a whole hour in UTC"),
        ("now", "2026-11-20T05:30", "WEATHER_WINDOW_START, WEATHER_WINDOW_END: Invalid"),
    ],
)
def test_an_invalid_window_is_reported_with_its_variable(
    start: str | None, end: str | None, words: str
) -> None:
    with pytest.raises(StepError) as failure:
        window_of_environment(start, end)
    assert failure.value.exit_code == ExitCode.SETTING
    assert words in str(failure.value)
    assert "\n" not in str(failure.value)
