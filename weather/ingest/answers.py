"""The checks of form that one location's answer passes before it counts."""

import math
import sys
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from reprlib import repr as shortened
from typing import Any

from weather.ingest.open_meteo import TIME_FORMAT, UNITS
from weather.locations import Location
from weather.window import HOUR, Window

REACH_KM = 60
"""Largest distance between the coordinates of a response and those of its location.

A response carries the coordinates of a grid cell. Open-Meteo takes the cell of the 3 x 3 around the
nearest one whose height fits best (`cell_selection=land`, `findPointTerrainOptimised` in its
Gridable.swift), so up to 1.5 cells away in each direction: 59 km on a grid of 0.25 degrees, the
coarsest of the models that it combines.
"""

REACH_WITHOUT_ID_KM = 20
"""The same where a `location_id` should be and is not: half a cell of 0.25 degrees, diagonally."""

EARTH_KM = 6371


def problem_of_place(answer: object, location: Location, position: int) -> str | None:
    """Return what shows that a response is for another location than the one asked for, or None.

    A coordinate that is missing or is not a number contradicts nothing.

    Args:
        answer: the service's JSON object for one location.
        location: the one that was asked for.
        position: its position in the request, which the service returns as `location_id`, except
            for the first.
    """
    if not isinstance(answer, dict):
        return None
    number, latitude, longitude = (
        _number(answer.get(name)) for name in ("location_id", "latitude", "longitude")
    )
    if number is not None and number != position:
        return f"location_id is {number:g}, but {position} was asked for"
    is_unnumbered = position > 0 and number is None
    if is_unnumbered and (latitude is None or longitude is None):
        return "the response has neither a location_id nor coordinates, so it may be of any place"
    kilometres = _distance(
        (location.latitude, location.longitude),
        (
            location.latitude if latitude is None else latitude,
            location.longitude if longitude is None else longitude,
        ),
    )
    if kilometres > (REACH_WITHOUT_ID_KM if is_unnumbered else REACH_KM):
        return (
            f"the response is for latitude {_text(latitude)}, longitude {_text(longitude)}, "
            f"{kilometres:,.0f} km from {location.latitude}, {location.longitude} that were asked "
            f"for{' and without a location_id' if is_unnumbered else ''}"
        )
    return None


def _number(value: object) -> float | None:
    """A finite number, also one that is written as a text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _text(coordinate: float | None) -> str:
    return "unknown" if coordinate is None else f"{coordinate:g}"


def _distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Kilometres on the sphere; without a limit for a latitude beyond the poles."""
    if abs(other[0]) > 90:
        return math.inf
    (latitude, longitude), (other_latitude, other_longitude) = (
        map(math.radians, place) for place in (one, other)
    )
    half_chord = (
        math.sin((other_latitude - latitude) / 2) ** 2
        + math.cos(latitude)
        * math.cos(other_latitude)
        * math.sin((other_longitude - longitude) / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, half_chord)))


def problem_of(answer: object, window: Window) -> str | None:
    """What is wrong with the form of a location's answer, or None.

    Single nulls are data, and so is a variable without any value: the service has none there. An
    answer without any value at all is a failure. Whether values are possible is judged later.

    Args:
        answer: the service's JSON object for one location.
        window: the hours that were asked for, all of which have to be there.
    """
    return next(_problems(answer, window), None)


def _problems(answer: object, window: Window) -> Iterator[str]:
    """Problems in an order in which each check may rely on those before it."""
    if not isinstance(answer, dict):
        yield f"the answer is {shortened(answer)}, no object"
        return
    offset = answer.get("utc_offset_seconds")
    if isinstance(offset, bool) or offset != 0:
        yield f"utc_offset_seconds is {shortened(offset)}, but hours in UTC were asked for"
    hourly, units = answer.get("hourly"), answer.get("hourly_units")
    if not isinstance(hourly, dict) or not isinstance(units, dict):
        yield "hourly or hourly_units is missing"
        return
    for name in ("time", *UNITS):
        if not isinstance(hourly.get(name), list):
            yield f"hourly.{name} is missing"
            return
    for name in UNITS:
        if len(hourly[name]) != len(hourly["time"]):
            yield f"hourly.{name} has {len(hourly[name])} values for {len(hourly['time'])} hours"
            return
    yield from _problems_of_times(hourly["time"], units.get("time"), window)
    for name in UNITS:
        yield from _problems_of_values(name, hourly[name], units.get(name), hourly["time"])
    if all(value is None for name in UNITS for value in hourly[name]):
        yield f"not one value in {window.hours} hours, all are null"


def _problems_of_times(times: list[Any], unit: object, window: Window) -> Iterator[str]:
    if unit != "iso8601":
        yield f"hourly.time is in {shortened(unit)}, not in 'iso8601'"
    wanted = _hours_of(window)
    if times == wanted:
        return
    before = ""
    for time in times:
        if not _is_written_as_asked(time):
            yield f"hourly.time holds {shortened(time)}, no time like {wanted[0]}"
        elif time == before:
            yield f"{time} is there twice"
        elif time < before:
            yield f"{time} comes after {before}"
        elif not wanted[0] <= time <= wanted[-1]:
            yield f"{time} is outside of what was asked, {wanted[0]} to {wanted[-1]}"
        before = time
    missing = sorted(set(wanted).difference(times))
    if missing:
        yield f"{len(missing)} of {len(wanted)} hours are missing, the first is {missing[0]}"
    yield f"{len(times)} times for {len(wanted)} hours, some of them no whole hours"


@lru_cache(maxsize=1)
def _hours_of(window: Window) -> list[str]:
    """The hours of a window as the service writes them; all locations of a call share them."""
    return [(window.start + hour * HOUR).strftime(TIME_FORMAT) for hour in range(window.hours)]


def _is_written_as_asked(time: object) -> bool:
    try:
        return isinstance(time, str) and f"{datetime.fromisoformat(time):{TIME_FORMAT}}" == time
    except ValueError:
        return False


def _problems_of_values(
    name: str, values: list[Any], unit: object, times: list[Any]
) -> Iterator[str]:
    without_data = unit == "undefined" and all(value is None for value in values)
    if unit != UNITS[name] and not without_data:
        yield f"{name} is in {shortened(unit)}, not in '{UNITS[name]}'"
    for time, value in zip(times, values, strict=True):
        if value is not None and not _is_finite_number(value):
            yield f"{name} at {time} is {shortened(value)}, no finite number"


def _is_finite_number(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) <= sys.float_info.max
    )
