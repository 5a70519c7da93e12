"""The service's answers, from the observations."""

from datetime import UTC, datetime
from functools import lru_cache
from math import floor
from typing import Any

from weather.replay.observations import HOUR, Series, observed_values, station_for
from weather.replay.parameters import Place, Question
from weather.replay.variables import observed_variable

GRID = 0.0625
"""Degrees between the grid cells' centres."""

ELEVATIONS = {"EWR": 5.0, "JFK": 4.0, "LGA": 7.0}
"""Metres above the sea."""

Answer = dict[str, Any]


def answers(question: Question, generationtime_ms: float) -> list[Answer]:
    """One answer for each location, in the order of the request; the first has no `location_id`."""
    return [
        _answer(question, place, location_id, generationtime_ms)
        for location_id, place in enumerate(question.places)
    ]


def body(each: list[Answer]) -> Answer | list[Answer]:
    """What is sent: the object itself for one location, an array for several."""
    return each[0] if len(each) == 1 else each


def grid_cell(latitude: float, longitude: float) -> tuple[float, float]:
    """The centre of the coordinate's grid cell, which is no coordinate with two decimals."""
    return _cell_centre(latitude, 90), _cell_centre(longitude, 180)


def _cell_centre(degrees: float, edge: int) -> float:
    return min(floor(degrees / GRID) * GRID, edge - GRID) + GRID / 2


def _answer(question: Question, place: Place, location_id: int, generationtime_ms: float) -> Answer:
    latitude, longitude = grid_cell(place.latitude, place.longitude)
    answer: Answer = {
        "latitude": latitude,
        "longitude": longitude,
        "generationtime_ms": generationtime_ms,
        "utc_offset_seconds": int(place.offset.utc_offset.total_seconds()),
        "timezone": place.offset.timezone,
        "timezone_abbreviation": place.offset.abbreviation,
        "elevation": ELEVATIONS[station_for(place.latitude, place.longitude)],
    }
    if location_id > 0:
        answer["location_id"] = location_id
    if question.hourly:
        answer["hourly_units"] = {"time": "iso8601"}
        answer["hourly"] = {"time": list(_times(place.period.first_hour, place.period.hours))}
        for name in question.hourly:
            unit, values = _values(question, place, name)
            answer["hourly_units"][name] = unit
            answer["hourly"][name] = values
    return answer


def _values(question: Question, place: Place, name: str) -> tuple[str, Series]:
    variable = observed_variable(name)
    if variable is None:
        return "undefined", [None] * place.period.hours
    unit = question.units[variable]
    values = observed_values(
        station_for(place.latitude, place.longitude),
        variable,
        (place.period.first_hour - place.offset.data_offset).replace(tzinfo=UTC),
        place.period.hours,
    )
    return unit.label, unit.converted(values)


@lru_cache(maxsize=64)
def _times(first_hour: datetime, hours: int) -> tuple[str, ...]:
    return tuple((first_hour + hour * HOUR).isoformat(timespec="minutes") for hour in range(hours))
