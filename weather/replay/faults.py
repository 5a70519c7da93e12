"""Faults of the replay server, and the rules that select requests and locations for them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from math import inf, nan
from typing import Any

from weather.replay.forecast import Location
from weather.replay.observations import HOUR

HEALTHY = "healthy"
"""No fault; for rules that let some requests succeed before a fault."""

HANG = "hang"
RESET = "reset"
CUT_JSON = "cut_json"
STREAMING_ERROR = "streaming_error"

JSON = "application/json; charset=utf-8"
HTML = "text/html"


@dataclass(frozen=True)
class Failure:
    """A response in place of the weather."""

    status: HTTPStatus
    media_type: str
    body: str


def _error(status: HTTPStatus, reason: str) -> Failure:
    return Failure(status, JSON, f'{{"error":true,"reason":"{reason}"}}')


def _page(status: HTTPStatus, title: str) -> Failure:
    return Failure(
        status,
        HTML,
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
    )


FAILURES = {
    "minutely_limit": _error(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Minutely API request limit exceeded. Please try again in one minute.",
    ),
    "hourly_limit": _error(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Hourly API request limit exceeded. Please try again in the next hour.",
    ),
    "daily_limit": _error(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Daily API request limit exceeded. Please try again tomorrow.",
    ),
    "too_many_concurrent": _error(HTTPStatus.TOO_MANY_REQUESTS, "Too many concurrent requests"),
    "unauthorized": _error(HTTPStatus.UNAUTHORIZED, "The supplied API key is invalid."),
    "forbidden": _error(
        HTTPStatus.FORBIDDEN, "API access is not included in your current subscription."
    ),
    "server_error": _error(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong."),
    "unavailable": _error(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable"),
    "bad_gateway": _page(HTTPStatus.BAD_GATEWAY, "502 Bad Gateway"),
    "gateway_timeout": _page(HTTPStatus.GATEWAY_TIMEOUT, "504 Gateway Time-out"),
    "html_ok": _page(HTTPStatus.OK, "Open-Meteo is being maintained"),
}

# Faults in one location's object: valid JSON that is not valid weather.
IMPOSSIBLE_WIND = 2000.0
ODD_TEMPERATURE = -75.0

IMPERIAL: dict[str, tuple[str, Callable[[float], float]]] = {
    "°C": ("°F", lambda value: round(value * 1.8 + 32, 1)),
    "mm": ("inch", lambda value: round(value / 25.4, 3)),
    "km/h": ("mp/h", lambda value: round(value / 1.609344, 1)),
}


def wrong_units(location: Location) -> None:
    """Convert the values to °F, mp/h and inches."""
    for name, values in _variables(location).items():
        if unit := IMPERIAL.get(location["hourly_units"][name]):
            label, convert = unit
            location["hourly_units"][name] = label
            location["hourly"][name] = [
                None if value is None else convert(value) for value in values
            ]


def unequal_arrays(location: Location) -> None:
    """Remove a value from the first variable."""
    _first_variable(location).pop()


def repeated_hour(location: Location) -> None:
    """Repeat the first hour and its values."""
    for column in location["hourly"].values():
        column.insert(0, column[0])


def falling_hours(location: Location) -> None:
    """Reverse the hours."""
    for column in location["hourly"].values():
        column.reverse()


def outside_hours(location: Location) -> None:
    """Append an hour after the last requested hour."""
    for column in location["hourly"].values():
        column.append(column[-1])
    times = location["hourly"]["time"]
    times[-1] = (datetime.fromisoformat(times[-1]) + HOUR).isoformat(timespec="minutes")


def not_finite(location: Location) -> None:
    """Insert NaN and Infinity, which are invalid JSON that Python's parser accepts."""
    values = _first_variable(location)
    values[0] = nan
    values[-1] = inf


def all_null(location: Location) -> None:
    """Set all values to null."""
    for values in _variables(location).values():
        values[:] = [None] * len(values)


def text_value(location: Location) -> None:
    """Replace a number by a string."""
    _first_variable(location)[0] = "n/a"


def missing_variable(location: Location) -> None:
    """Leave out the first variable."""
    name = next(iter(_variables(location)))
    del location["hourly"][name], location["hourly_units"][name]


def other_place(location: Location) -> None:
    """Move the longitude of a response by 90 degrees."""
    location["longitude"] = (location["longitude"] + 270) % 360 - 180


def odd_temperature(location: Location) -> None:
    """Set one hour to -75 °C: a valid response, but implausible weather."""
    _set_values(location, "temperature_2m", ODD_TEMPERATURE, every=len(location["hourly"]["time"]))


def impossible_values(location: Location) -> None:
    """Set every twentieth wind speed to 2,000 km/h."""
    _set_values(location, "wind_speed_10m", IMPOSSIBLE_WIND, every=20)


DAMAGES: dict[str, Callable[[Location], None]] = {
    damage.__name__: damage
    for damage in (
        wrong_units,
        unequal_arrays,
        repeated_hour,
        falling_hours,
        outside_hours,
        not_finite,
        all_null,
        text_value,
        missing_variable,
        other_place,
        odd_temperature,
        impossible_values,
    )
}


def _variables(location: Location) -> dict[str, list[Any]]:
    return {name: column for name, column in location["hourly"].items() if name != "time"}


def _first_variable(location: Location) -> list[Any]:
    return next(iter(_variables(location).values()))


def _set_values(location: Location, variable: str, value: float, every: int) -> None:
    for name, values in _variables(location).items():
        if name == variable:
            for hour in range(0, len(values), every):
                values[hour] = value


NAMES = (HEALTHY, *FAILURES, CUT_JSON, STREAMING_ERROR, *DAMAGES, HANG, RESET)

_RULE = re.compile(r"(?P<name>\w+)(@(?P<location>\d+))?(\*(?P<requests>\d+))?")


@dataclass(frozen=True)
class Rule:
    """A fault, and the requests and locations that have the fault."""

    name: str
    location: int | None = None
    """Number of the location in a response, from 0; None for all."""
    requests: int | None = None
    """Number of requests with the fault; None for all further requests."""

    def concerns(self, location: int) -> bool:
        """Return whether that location has the fault."""
        return self.location in (None, location)


def parse_faults(text: str) -> list[Rule]:
    """Parse rules such as `minutely_limit*2,text_value@1`. See the package's docstring.

    Raises:
        ValueError: a fault is unknown or a rule malformed; one line that names the rule.
    """
    rules = [_parse_rule(part.strip()) for part in text.split(",") if part.strip()]
    for rule in rules[:-1]:
        if rule.requests is None:
            raise ValueError(f"the rules after '{rule.name}' never apply: limit it with '*N'")
    return rules


def _parse_rule(text: str) -> Rule:
    match = _RULE.fullmatch(text)
    if match is None or match["name"] not in NAMES:
        raise ValueError(
            f"'{text}': unknown fault. Write a name, with @K for location K and *N for N requests. "
            f"The names: {', '.join(NAMES)}."
        )
    if match["location"] is not None and match["name"] not in DAMAGES:
        raise ValueError(
            f"'{match['name']}' applies to whole responses; these take a location with '@': "
            f"{', '.join(DAMAGES)}."
        )
    location, requests = (
        None if match[part] is None else int(match[part]) for part in ("location", "requests")
    )
    return Rule(match["name"], location, requests)


class FaultPlan:
    """Fault rules in order. Each rule applies to its number of requests."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = list(rules)
        self._requests_of_first = 0

    def next(self) -> Rule:
        """Count a request, and return the rule that applies to it."""
        while self._rules:
            rule = self._rules[0]
            if rule.requests is None or self._requests_of_first < rule.requests:
                self._requests_of_first += 1
                return rule
            self._rules.pop(0)
            self._requests_of_first = 0
        return Rule(HEALTHY)


def truncated(text: str, fault: str) -> str:
    """Cut a JSON text in half. For STREAMING_ERROR, append Open-Meteo's error message."""
    half = text[: len(text) // 2]
    if fault == STREAMING_ERROR:
        return f"{half}Unexpected error while streaming data: timeoutReached"
    return half
