"""Parse a request for hourly weather, and build the response in Open-Meteo's format."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from math import floor
from typing import Any

from weather.replay.observations import HOUR, UNITS, observed_values, station_for

GRID = 0.0625
"""Degrees between the centres of grid cells."""

ELEVATIONS = {"EWR": 5.0, "JFK": 4.0, "LGA": 7.0}
"""Elevation of each station in metres above the sea."""

MAX_LOCATIONS = 1000

Location = dict[str, Any]
"""The JSON object of one location."""


class BadRequest(Exception):
    """Invalid parameters. The message is the `reason` in the 400 response."""


@dataclass(frozen=True)
class ForecastRequest:
    """A valid request."""

    coordinates: list[tuple[float, float]]
    """Latitude and longitude of each location."""
    variables: list[str]
    first_hour: datetime
    hours: int


def parse_request(parameters: Mapping[str, str]) -> ForecastRequest:
    """Validate the parameters. Unknown parameters are ignored.

    Args:
        parameters: lists are separated by commas.

    Raises:
        BadRequest: Open-Meteo returns 400, or the replay lacks the feature.
    """
    variables = _values(parameters, "hourly")
    for name in variables:
        if name not in UNITS:
            raise BadRequest(
                "Cannot initialize SurfaceAndPressureVariable<ForecastSurfaceVariable, "
                f"ForecastPressureVariable> from invalid String value {name} for key "
            )
    if parameters.get("timezone", "GMT") != "GMT":
        raise BadRequest("This replay supports only timezone=GMT")
    first, last = (_hour(parameters, name) for name in ("start_hour", "end_hour"))
    if last < first:
        raise BadRequest("End-date must be larger or equals than start-date")
    hours = (last - first) // HOUR + 1
    return ForecastRequest(_coordinates(parameters), variables, first, hours)


def _values(parameters: Mapping[str, str], name: str) -> list[str]:
    return [value for value in parameters.get(name, "").split(",") if value]


def _hour(parameters: Mapping[str, str], name: str) -> datetime:
    try:
        moment = datetime.strptime(parameters.get(name, ""), "%Y-%m-%dT%H:%M")  # noqa: DTZ007 (GMT)
    except ValueError:
        raise BadRequest("Invalid date format. Make sure to use 'YYYY-MM-DDTHH:mm'") from None
    return moment.replace(minute=0, tzinfo=UTC)


def _coordinates(parameters: Mapping[str, str]) -> list[tuple[float, float]]:
    latitudes, longitudes = (_degrees(parameters, name) for name in ("latitude", "longitude"))
    if len(latitudes) != len(longitudes):
        raise BadRequest(
            "Parameter 'latitude' and 'longitude' must have the same number of elements"
        )
    if not latitudes:
        raise BadRequest("Parameter 'latitude' and 'longitude' must not be empty")
    if len(latitudes) > MAX_LOCATIONS:
        raise BadRequest(f"Only up to {MAX_LOCATIONS} locations can be requested at once")
    for latitude, longitude in zip(latitudes, longitudes, strict=True):
        if not -90 <= latitude <= 90:
            raise BadRequest(f"Latitude must be in range of -90 to 90°. Given: {latitude}.")
        if not -180 <= longitude <= 180:
            raise BadRequest(f"Longitude must be in range of -180 to 180°. Given: {longitude}.")
    return list(zip(latitudes, longitudes, strict=True))


def _degrees(parameters: Mapping[str, str], name: str) -> list[float]:
    degrees = []
    for text in _values(parameters, name):
        try:
            degrees.append(float(text))
        except ValueError:
            raise BadRequest(
                f"Cannot initialize Float from invalid String value {text} for key {name}"
            ) from None
    return degrees


def build_response(request: ForecastRequest, generationtime_ms: float) -> list[Location]:
    """Build one object for each location, the first without `location_id` as at Open-Meteo."""
    response = []
    for location_id, (latitude, longitude) in enumerate(request.coordinates):
        station = station_for(latitude, longitude)
        location: Location = {
            "latitude": _cell_centre(latitude, 90),
            "longitude": _cell_centre(longitude, 180),
            "generationtime_ms": generationtime_ms,
            "utc_offset_seconds": 0,
            "timezone": "GMT",
            "timezone_abbreviation": "GMT",
            "elevation": ELEVATIONS[station],
        }
        if location_id > 0:
            location["location_id"] = location_id
        if request.variables:
            first, hours = request.first_hour, request.hours
            location["hourly_units"] = {"time": "iso8601"}
            location["hourly"] = {"time": list(_times(first, hours))}
            for name in request.variables:
                location["hourly_units"][name] = UNITS[name]
                location["hourly"][name] = observed_values(station, name, first, hours)
        response.append(location)
    return response


def _cell_centre(degrees: float, edge: int) -> float:
    """Return the centre of a coordinate's grid cell, in degrees."""
    return min(floor(degrees / GRID) * GRID, edge - GRID) + GRID / 2


@lru_cache(maxsize=64)
def _times(first_hour: datetime, hours: int) -> tuple[str, ...]:
    return tuple(f"{first_hour + hour * HOUR:%Y-%m-%dT%H:%M}" for hour in range(hours))
