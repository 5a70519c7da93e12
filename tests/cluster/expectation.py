"""Which hours the lake must hold after the runs that Airflow tells of."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from weather.window import Window, wide_window


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
