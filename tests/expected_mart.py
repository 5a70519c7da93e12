"""Compute the mart from the replayed observations without SQL, for comparison."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from math import copysign
from typing import Any

from weather.locations import Location
from weather.replay.observations import observed_values, station_for
from weather.timezones import zone
from weather.variables import VARIABLES, Variable

HOUR = timedelta(hours=1)

Row = tuple[Any, ...]
"""Columns of daily_weather_stats in their order."""

ValuesByDay = Mapping[date, list[float]]


def expected_mart(locations: Iterable[Location], start: datetime, end: datetime) -> list[Row]:
    """Return the sorted rows of daily_weather_stats for all hours with start <= h < end."""
    return sorted(row for location in locations for row in _days(location, start, end))


def _days(location: Location, start: datetime, end: datetime) -> list[Row]:
    there = zone(location.timezone)
    hours = [start + i * HOUR for i in range((end - start) // HOUR)]
    values = {
        variable.column: _values_by_day(variable, location, hours, there) for variable in VARIABLES
    }
    temperatures = values["temperature_c"]
    return [
        (
            location.id,
            day,
            *(
                FUNCTIONS[statistic.function](values[variable.column][day])
                if day in values[variable.column]
                else None
                for variable in VARIABLES
                for statistic in variable.statistics
            ),
            len(temperatures.get(day, ())),
            len(temperatures.get(day, ())) == _length(day, there),
        )
        for day in sorted(set().union(*values.values()))
    ]


def _values_by_day(
    variable: Variable, location: Location, hours: list[datetime], there: tzinfo
) -> ValuesByDay:
    lowest, highest = variable.possible
    station = station_for(location.latitude, location.longitude)
    observed = observed_values(station, variable.source_name, hours[0], len(hours))
    by_day: dict[date, list[float]] = defaultdict(list)
    for hour, value in zip(hours, observed, strict=True):
        if value is not None and lowest <= value <= highest:
            moment = hour - HOUR if variable.preceding_hour else hour
            by_day[moment.astimezone(there).date()].append(value)
    return dict(by_day)


def _mean(values: list[float]) -> float:
    mean = sum(values) / len(values)
    # Halves are rounded away from zero, as in SQL.
    return round(mean + copysign(1e-9, mean), 1)


FUNCTIONS: Mapping[str, Callable[[list[float]], float]] = {
    "min": min,
    "max": max,
    "avg": _mean,
    "sum": lambda values: round(sum(values), 1),
}


def _length(day: date, there: tzinfo) -> int:
    """Count the whole hours in UTC that fall on the local day."""
    hour = datetime(day.year, day.month, day.day, tzinfo=UTC) - 24 * HOUR
    return sum((hour + i * HOUR).astimezone(there).date() == day for i in range(72))
