"""Settings that depend on each other: schedule, lookback, upkeep and freshness."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from weather.settings import SettingsGroup

DEFAULT_LOOKBACK_HOURS = 168
DEFAULT_UPKEEP_HOUR = 3


def _divides_a_day(hours: int) -> int:
    if hours < 1 or 24 % hours:
        raise ValueError("must be 1, 2, 3, 4, 6, 8, 12 or 24")
    return hours


class ScheduleSettings(SettingsGroup):
    """Settings of schedule, lookback, upkeep and freshness, checked against each other."""

    weather_schedule_hours: Annotated[int, AfterValidator(_divides_a_day)] = Field(
        1, description="Hours between two runs: 1, 2, 3, 4, 6, 8, 12 or 24."
    )
    weather_lookback_hours: int = Field(
        DEFAULT_LOOKBACK_HOURS,
        ge=1,
        le=2160,
        description="Hours that each run fetches, up to the end of its data interval.",
    )
    weather_upkeep_hour: int | None = Field(
        None,
        ge=0,
        le=23,
        description="Hour in UTC: upkeep runs once a day, in the run whose window ends then; by "
        "default, 3 or the last multiple of `WEATHER_SCHEDULE_HOURS` before 3.",
    )
    weather_fresh_hours: int | None = Field(
        None,
        ge=2,
        le=168,
        description="Age in hours from which a location's newest hour is late, on the page and "
        "for the alert; by default, twice `WEATHER_SCHEDULE_HOURS`.",
    )

    @property
    def upkeep_hour(self) -> int:
        """The hour in UTC at which the window of the run with upkeep ends."""
        if self.weather_upkeep_hour is not None:
            return self.weather_upkeep_hour
        return DEFAULT_UPKEEP_HOUR - DEFAULT_UPKEEP_HOUR % self.weather_schedule_hours

    @property
    def fresh_hours(self) -> int:
        """The age in hours from which a location's newest hour is late.

        By default, one failed run makes data late only for the minutes that the next run takes.
        """
        return self.weather_fresh_hours or 2 * self.weather_schedule_hours

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        schedule = self.weather_schedule_hours
        between = f"WEATHER_SCHEDULE_HOURS is {schedule}"
        problems = []
        if self.weather_lookback_hours < schedule:
            problems.append(
                f"WEATHER_LOOKBACK_HOURS: is {self.weather_lookback_hours}, but {between}, so no "
                f"run would fetch the hours in between: set it to {schedule} or more"
            )
        if self.upkeep_hour % schedule:
            hours = ", ".join(map(str, range(0, 24, schedule)))
            problems.append(
                f"WEATHER_UPKEEP_HOUR: is {self.upkeep_hour}, but {between}, so no run's window "
                f"ends then and upkeep would never run: set it to one of {hours}, or leave it unset"
            )
        if self.fresh_hours <= schedule:
            problems.append(
                f"WEATHER_FRESH_HOURS: is {self.fresh_hours}, but {between}, so data would be late "
                f"before each run: set it to {schedule + 1} or more, or leave it unset"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self
