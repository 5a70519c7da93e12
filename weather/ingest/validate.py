"""Validate one location's response: it must be for this location, these hours and these units.

The common format of hours is Open-Meteo's.
"""

import math
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from reprlib import repr as shortened
from typing import Any

from weather.locations import Location
from weather.variables import VARIABLES
from weather.window import HOUR, Window

UNITS = {variable.source_name: variable.unit for variable in VARIABLES}
"""The requested variables, with their units in a response."""

TIME_FORMAT = "%Y-%m-%dT%H:%M"
"""Format of hours in requests and responses, without an offset."""

MAX_DISTANCE_KM = 60
"""Largest accepted distance between the coordinates of a response and of its location.

A response has the coordinates of a grid cell. Of the 3 x 3 cells around the location, Open-Meteo
takes the one whose height fits best (`findPointTerrainOptimised` in its Gridable.swift). That is up
to 1.5 cells away in each direction: 59 km on its coarsest grid, 0.25 degrees.
"""

MAX_DISTANCE_WITHOUT_ID_KM = 20
"""Largest accepted distance without a `location_id`: half a cell's diagonal, of 0.25 degrees."""

EARTH_KM = 6371


def wrong_location(response: object, location: Location, position: int) -> str | None:
    """Return why a response is for another location than the requested one, or None.

    A coordinate that is missing or not a number is ignored.

    Args:
        response: the service's JSON object for one location.
        location: the requested one.
        position: its position in the request. The service returns it as `location_id`, except for
            the first location.
    """
    if not isinstance(response, dict):
        return None
    number, latitude, longitude = (
        _number(response.get(name)) for name in ("location_id", "latitude", "longitude")
    )
    if number is not None and number != position:
        return f"location_id is {number:g}, but {position} was requested"
    is_unnumbered = position > 0 and number is None
    if is_unnumbered and (latitude is None or longitude is None):
        return "the response lacks location_id and coordinates, so its location is unknown"
    kilometres = _distance(
        (location.latitude, location.longitude),
        (
            location.latitude if latitude is None else latitude,
            location.longitude if longitude is None else longitude,
        ),
    )
    if kilometres > (MAX_DISTANCE_WITHOUT_ID_KM if is_unnumbered else MAX_DISTANCE_KM):
        return (
            f"the response is for latitude {_text(latitude)}, longitude {_text(longitude)}, "
            f"{kilometres:,.0f} km from the requested {location.latitude}, {location.longitude}"
            f"{', and has no location_id' if is_unnumbered else ''}"
        )
    return None


def _number(value: object) -> float | None:
    """Return a finite number, also from a string, or None for anything else."""
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
    """Return kilometres on the sphere, infinity for a latitude beyond the poles."""
    if abs(other[0]) > 90:
        return math.inf
    (latitude, longitude), (other_latitude, other_longitude) = (
        map(math.radians, point) for point in (one, other)
    )
    half_chord = (
        math.sin((other_latitude - latitude) / 2) ** 2
        + math.cos(latitude)
        * math.cos(other_latitude)
        * math.sin((other_longitude - longitude) / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, half_chord)))


def wrong_format(response: object, window: Window) -> str | None:
    """Return why a response's format is invalid, or None.

    Nulls are valid, also for a whole variable, because the service may have no data there. A
    response with nothing but nulls is invalid. dbt checks whether values are possible.

    Args:
        response: the service's JSON object for one location.
        window: the requested hours, which must all be present.
    """
    return next(_format_problems(response, window), None)


def common_format(
    window: Window, columns: Mapping[str, Mapping[datetime, object]]
) -> dict[str, object]:
    """Return the hours of another source in the common format. Missing values are null.

    Args:
        window: the requested hours.
        columns: each variable's values by hour, in the units of `UNITS`.
    """
    hours = [window.start + hour * HOUR for hour in range(window.hours)]
    return {
        "utc_offset_seconds": 0,
        "hourly_units": {"time": "iso8601", **UNITS},
        "hourly": {"time": _hours_of(window)}
        | {name: [columns.get(name, {}).get(hour) for hour in hours] for name in UNITS},
    }


def _format_problems(response: object, window: Window) -> Iterator[str]:
    """Yield the format problems of a response. Each check relies on the earlier checks."""
    if not isinstance(response, dict):
        yield f"the response is {shortened(response)}, not an object"
        return
    offset = response.get("utc_offset_seconds")
    if isinstance(offset, bool) or offset != 0:
        yield f"utc_offset_seconds is {shortened(offset)}, but UTC was requested"
    hourly, units = response.get("hourly"), response.get("hourly_units")
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
    yield from _time_format_problems(hourly["time"], units.get("time"), window)
    for name in UNITS:
        yield from _value_format_problems(name, hourly[name], units.get(name), hourly["time"])
    if all(value is None for name in UNITS for value in hourly[name]):
        yield f"all values of the {window.hours} hours are null"


def _time_format_problems(times: list[Any], unit: object, window: Window) -> Iterator[str]:
    if unit != "iso8601":
        yield f"hourly.time is in {shortened(unit)}, not in 'iso8601'"
    requested = _hours_of(window)
    if times == requested:
        return
    before = ""
    for time in times:
        if not _has_time_format(time):
            yield f"hourly.time has {shortened(time)}, not a time like {requested[0]}"
        elif time == before:
            yield f"duplicate hour {time}"
        elif time < before:
            yield f"{time} comes after {before}"
        elif not requested[0] <= time <= requested[-1]:
            yield f"{time} is outside of the requested hours, {requested[0]} to {requested[-1]}"
        before = time
    missing = sorted(set(requested).difference(times))
    if missing:
        yield f"{len(missing)} of {len(requested)} hours are missing, the first is {missing[0]}"
    yield f"{len(times)} times for {len(requested)} hours: some are not whole hours"


@lru_cache(maxsize=1)
def _hours_of(window: Window) -> list[str]:
    """Return a window's hours in the common format, cached for all locations of a call."""
    return [(window.start + hour * HOUR).strftime(TIME_FORMAT) for hour in range(window.hours)]


def _has_time_format(time: object) -> bool:
    try:
        return isinstance(time, str) and f"{datetime.fromisoformat(time):{TIME_FORMAT}}" == time
    except ValueError:
        return False


def _value_format_problems(
    name: str, values: list[Any], unit: object, times: list[Any]
) -> Iterator[str]:
    has_no_data = unit == "undefined" and all(value is None for value in values)
    if unit != UNITS[name] and not has_no_data:
        yield f"{name} is in {shortened(unit)}, not in '{UNITS[name]}'"
    for time, value in zip(times, values, strict=True):
        if value is not None and not _is_finite_number(value):
            yield f"{name} at {time} is {shortened(value)}, not a finite number"


def _is_finite_number(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) <= sys.float_info.max
    )
