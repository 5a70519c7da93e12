"""The mart, computed from the replayed observations without SQL, for comparison."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from math import copysign

from weather.locations import Location
from weather.replay.observations import observed_values, station_for
from weather.timezones import zone

HOUR = timedelta(hours=1)
HIGHEST_POSSIBLE_WIND_KMH = 410

Row = tuple[
    str, date, float | None, float | None, float | None, float | None, float | None, int, bool
]
"""The columns of daily_weather_stats, in its order."""


def expected_mart(locations: Iterable[Location], start: datetime, end: datetime) -> list[Row]:
    """The rows of daily_weather_stats after all hours with start <= h < end, sorted."""
    return sorted(row for location in locations for row in _days(location, start, end))


def _days(location: Location, start: datetime, end: datetime) -> list[Row]:
    there = zone(location.timezone)
    station = station_for(location.latitude, location.longitude)
    hours = [start + i * HOUR for i in range((end - start) // HOUR)]
    temperature, rain, wind = (
        observed_values(station, variable, start, len(hours))
        for variable in ("temperature_2m", "precipitation", "wind_speed_10m")
    )
    temperatures: dict[date, list[float]] = defaultdict(list)
    rains: dict[date, list[float]] = defaultdict(list)
    winds: dict[date, list[float]] = defaultdict(list)
    for i, hour in enumerate(hours):
        day = hour.astimezone(there).date()
        if (degrees := temperature[i]) is not None:
            temperatures[day].append(degrees)
        if (speed := wind[i]) is not None and speed <= HIGHEST_POSSIBLE_WIND_KMH:
            winds[day].append(speed)
        if (millimetres := rain[i]) is not None:
            rains[(hour - HOUR).astimezone(there).date()].append(millimetres)
    return [
        (
            location.id,
            day,
            min(temperatures[day], default=None),
            max(temperatures[day], default=None),
            _mean(temperatures[day]),
            round(sum(rains[day]), 1) if rains[day] else None,
            _mean(winds[day]),
            len(temperatures[day]),
            len(temperatures[day]) == _length(day, there),
        )
        for day in sorted({*temperatures, *rains, *winds})
    ]


def _mean(values: list[float]) -> float | None:
    if not values:
        return None
    mean = sum(values) / len(values)
    # Halves are rounded away from zero, as in SQL.
    return round(mean + copysign(1e-9, mean), 1)


def _length(day: date, there: tzinfo) -> int:
    """How many whole hours in UTC fall on the local day, counted one by one."""
    hour = datetime(day.year, day.month, day.day, tzinfo=UTC) - 24 * HOUR
    return sum((hour + i * HOUR).astimezone(there).date() == day for i in range(72))
