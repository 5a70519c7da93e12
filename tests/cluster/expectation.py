"""The hours that the lake must hold after Airflow's runs, and the next scheduled run."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from weather.window import Window, wide_window

MINUTE_OF_THE_SCHEDULE = 7
SECONDS_BEFORE_A_RUN = 60
SECONDS_TO_MAKE_A_RUN = 15


def is_due(now: datetime) -> bool:
    """Return whether the next scheduled run is about to start and would disturb a test."""
    seconds_of_the_hour = now.minute * 60 + now.second
    left = MINUTE_OF_THE_SCHEDULE * 60 + SECONDS_TO_MAKE_A_RUN - seconds_of_the_hour
    return 0 <= left <= SECONDS_BEFORE_A_RUN + SECONDS_TO_MAKE_A_RUN


def window_of_run(run: Mapping[str, Any], lookback_hours: int) -> Window:
    """Return the window of a run of Airflow's REST API."""
    due = datetime.fromisoformat(run["run_after"])
    end = run["data_interval_end"]
    conf = run["conf"] or {}
    return wide_window(
        conf.get("window_start"),
        conf.get("window_end"),
        min(datetime.fromisoformat(end), due) if end else due,
        lookback_hours,
    )


def hours_taken(windows: Iterable[Window]) -> Window:
    """Join the runs' windows into one window without gaps.

    Raises:
        ValueError: hours are missing between the windows, or the list is empty.
    """
    taken: Window | None = None
    for window in sorted(windows, key=lambda window: window.start):
        if taken and window.start > taken.end:
            raise ValueError(f"no run has taken the hours from {taken.end} to {window.start}")
        taken = Window(taken.start, max(taken.end, window.end)) if taken else window
    if taken is None:
        raise ValueError("no run has succeeded")
    return taken
