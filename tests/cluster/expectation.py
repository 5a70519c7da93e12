"""What the schedule does by itself, and which hours the lake must hold after Airflow's runs."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from weather.window import Window, wide_window

MINUTE_OF_THE_SCHEDULE = 7
SECONDS_BEFORE_A_RUN = 60
SECONDS_TO_MAKE_A_RUN = 15


def is_due(now: datetime) -> bool:
    """Whether the schedule's next run is about to be made, and would meddle in a test."""
    seconds_of_the_hour = now.minute * 60 + now.second
    left = MINUTE_OF_THE_SCHEDULE * 60 + SECONDS_TO_MAKE_A_RUN - seconds_of_the_hour
    return 0 <= left <= SECONDS_BEFORE_A_RUN + SECONDS_TO_MAKE_A_RUN


def window_of_run(run: Mapping[str, Any], lookback_hours: int) -> Window:
    """The hours that a run takes, from what Airflow's REST API says of it."""
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
    """All hours of the windows, as one.

    Raises:
        ValueError: they leave hours out between them, or there are none.
    """
    taken: Window | None = None
    for window in sorted(windows, key=lambda window: window.start):
        if taken and window.start > taken.end:
            raise ValueError(f"no run has taken the hours from {taken.end} to {window.start}")
        taken = Window(taken.start, max(taken.end, window.end)) if taken else window
    if taken is None:
        raise ValueError("no run has ended well")
    return taken
