"""What a request asks for, read and refused as the service does it.

Rules and messages follow open-meteo/open-meteo, `ApiQueryParameter` and `ForecastApiError`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from weather.replay.period import Period, asked_period
from weather.replay.refusal import Refusal
from weather.replay.timezones import FixedOffset, fixed_offset
from weather.replay.units import CHOICES, Unit
from weather.replay.variables import is_variable
from weather.variables import VARIABLES

LOCATIONS_PER_CALL = 1000


@dataclass(frozen=True)
class Place:
    """One location of a request, with the hours asked for it."""

    latitude: float
    longitude: float
    offset: FixedOffset
    period: Period


@dataclass(frozen=True)
class Question:
    """A request that the service would answer."""

    places: Sequence[Place]
    hourly: Sequence[str]
    units: Mapping[str, Unit]
    """The unit asked for, for each observed variable."""


def read_question(parameters: Mapping[str, str], now: datetime) -> Question:
    """Read a request's parameters; those that nobody knows are ignored.

    Args:
        parameters: as text, lists with commas between their values.
        now: the time of the request, with its offset.

    Raises:
        Refusal: the service would answer 400.
    """
    hourly = _values(parameters, "hourly")
    for name in hourly:
        if not is_variable(name):
            raise Refusal(
                "Cannot initialize SurfaceAndPressureVariable<ForecastSurfaceVariable, "
                f"ForecastPressureVariable> from invalid String value {name} for key "
            )
    units = {each.source_name: _unit(parameters, each.unit) for each in VARIABLES}
    coordinates = _coordinates(parameters)
    names = _values(parameters, "timezone") or ["GMT"]
    if len(names) not in (1, len(coordinates)):
        raise _different_counts()
    zones = {name: _zone(parameters, name, now) for name in set(names)}
    if len(names) == 1:
        names *= len(coordinates)
    places = [
        Place(*coordinate, *zones[name])
        for coordinate, name in zip(coordinates, names, strict=True)
    ]
    return Question(places, hourly, units)


def _values(parameters: Mapping[str, str], name: str) -> list[str]:
    return [value for value in parameters.get(name, "").split(",") if value]


def _coordinates(parameters: Mapping[str, str]) -> list[tuple[float, float]]:
    latitudes, longitudes = (_degrees(parameters, name) for name in ("latitude", "longitude"))
    if len(latitudes) != len(longitudes):
        raise _different_counts()
    if not latitudes:
        raise Refusal("Parameter 'latitude' and 'longitude' must not be empty")
    if len(latitudes) > LOCATIONS_PER_CALL:
        raise Refusal(f"Only up to {LOCATIONS_PER_CALL} locations can be requested at once")
    for latitude, longitude in zip(latitudes, longitudes, strict=True):
        if not -90 <= latitude <= 90:
            raise Refusal(f"Latitude must be in range of -90 to 90°. Given: {latitude}.")
        if not -180 <= longitude <= 180:
            raise Refusal(f"Longitude must be in range of -180 to 180°. Given: {longitude}.")
    return list(zip(latitudes, longitudes, strict=True))


def _degrees(parameters: Mapping[str, str], name: str) -> list[float]:
    degrees = []
    for text in _values(parameters, name):
        try:
            degrees.append(float(text))
        except ValueError:
            raise Refusal.of_value("Float", text, name) from None
    return degrees


def _unit(parameters: Mapping[str, str], default: str) -> Unit:
    choice = CHOICES.get(default)
    if choice is None:
        return Unit(default)
    for parameter in choice.parameters:
        if name := parameters.get(parameter):
            if name not in choice.units:
                raise Refusal.of_value(choice.kind, name, parameter)
            return choice.units[name]
    return next(iter(choice.units.values()))


def _zone(parameters: Mapping[str, str], name: str, now: datetime) -> tuple[FixedOffset, Period]:
    offset = fixed_offset(name, now)
    return offset, asked_period(parameters, offset.local_time(now))


def _different_counts() -> Refusal:
    return Refusal("Parameter 'latitude' and 'longitude' must have the same number of elements")
