"""The window of a run."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from orchestration.run_window import cron_expression, run_window, skip_unless_upkeep_run

from weather.window import Window

NO_PARAMS = {"window_start": None, "window_end": None}


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def dag_run(end: datetime | None, due: datetime) -> Any:
    return SimpleNamespace(data_interval_end=end, run_after=due)


def test_a_run_ends_with_its_data_interval() -> None:
    run = dag_run(at(2026, 11, 20, 5, 7), at(2026, 11, 20, 5, 7))
    assert run_window(run, NO_PARAMS) == Window(at(2026, 11, 13, 6), at(2026, 11, 20, 6))


def test_a_window_has_no_future_hours() -> None:
    run = dag_run(at(2026, 11, 20, 5, 7), at(2026, 11, 20, 5, 30))
    window = run_window(run, {"window_start": "2026-11-20T00:00", "window_end": "2031-01-01T00:00"})
    assert window == Window(at(2026, 11, 20, 0), at(2026, 11, 20, 6))
    assert window.last_hour <= run.run_after


@pytest.mark.parametrize(
    ("end", "words"),
    [
        # What `airflow dags test` makes of 2027-06-01T05:00:00+02:00 and 2019-06-01T05:00:00+02:00.
        (at(2027, 6, 1, 2, 7), "ends in the future, at 2027-06-01T02:07:00+00:00"),
        (at(2026, 11, 20, 6, 7), "ends in the future, at 2026-11-20T06:07:00+00:00"),
        (at(2019, 6, 1, 2, 7), "ends at 2019-06-01T02:07:00+00:00, before the earliest hour"),
        (at(1, 1, 1, 0, 7), "ends at 0001-01-01T00:07:00+00:00, before the earliest hour"),
    ],
)
def test_a_run_of_a_date_without_hours_fails(end: datetime, words: str) -> None:
    with pytest.raises(AirflowFailException) as failure:
        run_window(dag_run(end, at(2026, 11, 20, 5, 30)), NO_PARAMS)
    assert words in str(failure.value)
    assert "\n" not in str(failure.value)


def test_a_run_without_a_data_interval_ends_at_run_after() -> None:
    run = dag_run(None, at(2026, 11, 20, 5, 30))
    assert run_window(run, NO_PARAMS).last_hour == at(2026, 11, 20, 5)


def test_params_set_either_end() -> None:
    run = dag_run(at(2026, 11, 20, 5, 7), at(2026, 11, 20, 5, 7))
    assert run_window(run, {**NO_PARAMS, "window_start": "2026-06-01T00:00:00Z"}) == Window(
        at(2026, 6, 1), at(2026, 11, 20, 6)
    )
    assert run_window(run, {**NO_PARAMS, "window_end": "2026-06-08T02:00:00+02:00"}) == Window(
        at(2026, 6, 1), at(2026, 6, 8)
    )


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2026-06-02", "2026-06-01", "window_start: '2026-06-02' is not before window_end"),
        ("2026-06-01", "2026-06-01", "window_start: '2026-06-01' is not before window_end"),
        ("2026-06-01T00:10", "2026-06-01T00:50", "is not before window_end"),
        ("yesterday", None, "window_start: 'yesterday' is not a date and time such as 2026-"),
        (None, "now", "window_end: 'now' is not a date and time such as 2026-"),
        ("2026-02-30", None, "window_start: '2026-02-30' is not a date and time"),
        ("2016-12-31T23:59:60Z", None, "window_start: '2016-12-31T23:59:60Z' is not a date"),
        ("0000-01-01T00:00:00Z", None, "window_start: '0000-01-01T00:00:00Z' is not a date"),
        (20261120.5, None, "window_start: 20261120.5 is not a date and time"),
        # Usual values for "no start" and "no end".
        ("0001-01-01T00:00:00+01:00", None, "window_start: '0001-01-01T00:00:00+01:00' is not a"),
        ("0001-01-01T00:00:00Z", None, "window_start: '0001-01-01T00:00:00Z' is before 2020-"),
        ("1970-01-01T00:00:00Z", None, "window_start: '1970-01-01T00:00:00Z' is before 2020-"),
        ("2019-12-31T23:59:59Z", None, "is before 2020-01-01T00:00:00+00:00"),
        (None, "2020-01-01T00:00:00Z", "window_end: '2020-01-01T00:00:00Z' is before 2020-"),
        ("9999-12-31T23:59:59Z", None, "window_start: '9999-12-31T23:59:59Z': its hours have not"),
        ("9999-12-31T23:59:59-01:00", None, "window_start: '9999-12-31T23:59:59-01:00' is not a"),
        (None, "9999-12-31T23:59:59Z", "window_end: '9999-12-31T23:59:59Z': its hours have not"),
        ("2026-11-20T05:07Z", None, "window_start: '2026-11-20T05:07Z': its hours have not"),
        ("2027-01-01", "2027-02-01", "window_start: '2027-01-01': its hours have not happened"),
    ],
)
def test_invalid_params_fail_with_their_names(start: Any, end: Any, words: str) -> None:
    run = dag_run(at(2026, 11, 20, 5, 7), at(2026, 11, 20, 5, 7))
    with pytest.raises(AirflowFailException) as failure:
        run_window(run, {"window_start": start, "window_end": end})
    assert words in str(failure.value)
    assert "Trigger the run again" in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("start", "end", "window"),
    [
        ("2020-01-01T00:00:00Z", "2020-01-01T01:00:00Z", (at(2020, 1, 1), at(2020, 1, 1, 1))),
        ("2026-11-19", "9999-12-31T23:59:59Z", (at(2026, 11, 19), at(2026, 11, 20, 6))),
        ("2026-11-20T05:00+00:00", None, (at(2026, 11, 20, 5), at(2026, 11, 20, 6))),
        (None, "2026-11-21", (at(2026, 11, 13, 6), at(2026, 11, 20, 6))),
    ],
)
def test_a_window_is_limited_to_past_hours(
    start: str | None, end: str | None, window: tuple[datetime, datetime]
) -> None:
    run = dag_run(at(2026, 11, 20, 5, 7), at(2026, 11, 20, 5, 7))
    assert run_window(run, {"window_start": start, "window_end": end}) == Window(*window)


@pytest.mark.parametrize(
    ("hours", "cron"),
    [
        (1, "7 * * * *"),
        (2, "7 1,3,5,7,9,11,13,15,17,19,21,23 * * *"),
        (3, "7 2,5,8,11,14,17,20,23 * * *"),
        (4, "7 3,7,11,15,19,23 * * *"),
        (6, "7 5,11,17,23 * * *"),
        (8, "7 7,15,23 * * *"),
        (12, "7 11,23 * * *"),
        (24, "7 23 * * *"),
    ],
)
def test_cron_expression_of_each_schedule(hours: int, cron: str) -> None:
    assert cron_expression(hours) == cron


RUNS_OF_A_DAY = {
    1: range(24),
    2: range(1, 24, 2),
    3: [2, 5, 8, 11, 14, 17, 20, 23],
    4: [3, 7, 11, 15, 19, 23],
    6: [5, 11, 17, 23],
    8: [7, 15, 23],
    12: [11, 23],
    24: [23],
}


def ends_with_upkeep(hours: int) -> list[datetime]:
    """Return the ends of a day's windows whose run includes upkeep."""
    ends = []
    for hour in RUNS_OF_A_DAY[hours]:
        due = at(2026, 11, 20, hour, 7)
        run = dag_run(due, due)
        try:
            skip_unless_upkeep_run({"dag_run": run, "params": NO_PARAMS})
        except AirflowSkipException:
            continue
        ends.append(run_window(run, NO_PARAMS).end)
    return ends


@pytest.mark.parametrize(
    ("hours", "end"),
    [
        (1, at(2026, 11, 20, 3)),
        (2, at(2026, 11, 20, 2)),
        (3, at(2026, 11, 20, 3)),
        *((hours, at(2026, 11, 21)) for hours in (4, 6, 8, 12, 24)),
    ],
)
def test_upkeep_runs_once_a_day(hours: int, end: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEATHER_SCHEDULE_HOURS", str(hours))
    assert ends_with_upkeep(hours) == [end]


def test_upkeep_runs_at_the_hour_of_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEATHER_SCHEDULE_HOURS", "3")
    monkeypatch.setenv("WEATHER_UPKEEP_HOUR", "18")
    assert ends_with_upkeep(3) == [at(2026, 11, 20, 18)]


@pytest.mark.parametrize("hours", [3, 24])
def test_windows_as_long_as_the_schedule_leave_no_gap(
    hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEATHER_SCHEDULE_HOURS", str(hours))
    monkeypatch.setenv("WEATHER_LOOKBACK_HOURS", str(hours))
    windows = [
        run_window(dag_run(due, due), NO_PARAMS)
        for day in (20, 21)
        for due in (at(2026, 11, day, hour, 7) for hour in RUNS_OF_A_DAY[hours])
    ]
    taken = [
        window.start + timedelta(hours=hour) for window in windows for hour in range(window.hours)
    ]
    assert taken == [at(2026, 11, 20) + timedelta(hours=hour) for hour in range(48)]
