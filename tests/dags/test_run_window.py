"""Which hours a run takes."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from orchestration.run_window import run_window, unless_daily

from weather.window import Window

NO_PARAMS = {"window_start": None, "window_end": None}


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def dag_run(end: datetime | None, due: datetime) -> Any:
    return SimpleNamespace(data_interval_end=end, run_after=due)


def test_a_run_ends_with_its_data_interval() -> None:
    run = dag_run(at(2026, 11, 20, 5, 7), at(2026, 11, 20, 5, 7))
    assert run_window(run, NO_PARAMS) == Window(at(2026, 11, 13, 6), at(2026, 11, 20, 6))


def test_no_hour_is_taken_before_it_has_happened() -> None:
    run = dag_run(at(2030, 1, 1, 0, 7), at(2026, 11, 20, 5, 30))
    window = run_window(run, {"window_start": "2026-11-20T00:00", "window_end": "2031-01-01T00:00"})
    assert window == Window(at(2026, 11, 20, 0), at(2026, 11, 20, 6))
    assert window.last_hour <= run.run_after


def test_a_run_without_an_interval_ends_when_it_was_due() -> None:
    run = dag_run(None, at(2026, 11, 20, 5, 30))
    assert run_window(run, NO_PARAMS).last_hour == at(2026, 11, 20, 5)


def test_the_form_sets_either_end() -> None:
    run = dag_run(at(2026, 11, 20, 5, 7), at(2026, 11, 20, 5, 7))
    assert run_window(run, {**NO_PARAMS, "window_start": "2026-06-01T00:00:00Z"}) == Window(
        at(2026, 6, 1), at(2026, 11, 20, 6)
    )
    assert run_window(run, {**NO_PARAMS, "window_end": "2026-06-08T02:00:00+02:00"}) == Window(
        at(2026, 6, 1), at(2026, 6, 8)
    )


@pytest.mark.parametrize(
    "params",
    [
        {"window_start": "2026-06-02", "window_end": "2026-06-01"},
        {"window_start": "2026-06-01", "window_end": "2026-06-01"},
        {"window_start": "yesterday", "window_end": None},
    ],
)
def test_a_window_that_is_none_fails_at_once_and_says_what_to_do(params: dict[str, Any]) -> None:
    run = dag_run(at(2026, 11, 20, 5, 7), at(2026, 11, 20, 5, 7))
    with pytest.raises(AirflowFailException, match="Trigger the run again"):
        run_window(run, params)


def test_upkeep_runs_in_one_run_of_a_day() -> None:
    ran = 0
    for hour in range(24):
        end = at(2026, 11, 20, 0, 7) + timedelta(hours=hour)
        context: Any = {"dag_run": dag_run(end, end), "params": NO_PARAMS}
        try:
            unless_daily(context)
        except AirflowSkipException:
            continue
        ran += 1
    assert ran == 1
