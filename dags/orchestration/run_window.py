"""The DAG's cron expression, each run's window of hours, and the daily run with upkeep."""

from datetime import datetime
from typing import Any

from airflow.sdk import Context, Param
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from weather.schedule import ScheduleSettings
from weather.settings import read_settings
from weather.window import Window, wide_window

_MOMENT: dict[str, Any] = {"type": ["null", "string"], "format": "date-time"}

WINDOW_PARAMS = {
    "window_start": Param(
        None,
        **_MOMENT,
        title="First hour",
        description_md=(
            "First hour of the window, in UTC, 2020 or later. Empty: `WEATHER_LOOKBACK_HOURS` "
            "before the end."
        ),
    ),
    "window_end": Param(
        None,
        **_MOMENT,
        title="End",
        description_md=(
            "End of the window, in UTC, exclusive. Empty: the end of the run's data interval. "
            "Hours in the future are left out."
        ),
    ),
}


def cron_expression(schedule_hours: int) -> str:
    """Return the cron expression of a run every `schedule_hours`, 7 minutes after the hour.

    Windows end at multiples of `schedule_hours` in UTC, so that one of them ends at midnight.
    """
    last = schedule_hours - 1
    hours = ",".join(map(str, range(last, 24, schedule_hours))) if last else "*"
    # The service is busiest at full and quarter hours (open-meteo/open-meteo#1866).
    return f"7 {hours} * * *"


def run_window(dag_run: Any, params: dict[str, Any]) -> Window:
    """Return a run's window, which is the same for all steps and tries.

    Without a data interval (a run triggered by an asset or by hand), the window ends at the run's
    `run_after`.

    Raises:
        AirflowFailException: the run's date is in the future or before 2020, or `window_start` and
            `window_end` contain no hour.
    """
    due: datetime = dag_run.run_after
    end = dag_run.data_interval_end or due
    if end > due:
        raise AirflowFailException(
            f"The run's data interval ends in the future, at {end.isoformat()}. "
            "Run it again with a date in the past."
        )
    lookback = read_settings(ScheduleSettings).weather_lookback_hours
    try:
        return wide_window(params["window_start"], params["window_end"], end, lookback)
    except ValueError as error:
        raise AirflowFailException(
            f"Invalid window: {error}. Trigger the run again with another date, "
            "window_start or window_end."
        ) from None


def skip_unless_upkeep_run(context: Context) -> None:
    """Skip the task, except in one run a day."""
    window = run_window(context["dag_run"], dict(context["params"]))
    upkeep_hour = read_settings(ScheduleSettings).upkeep_hour
    if window.end.hour != upkeep_hour:
        raise AirflowSkipException(
            f"Skipped: upkeep runs once a day, when the window ends at {upkeep_hour}:00 UTC."
        )
