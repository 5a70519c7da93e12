"""Faults inside one location's answer: well-formed JSON that must not be taken for weather.

Each function changes an answer with at least one variable and one hour, in metric units.
"""

from collections.abc import Callable
from datetime import datetime
from math import inf, nan
from typing import Any

from weather.replay.answers import Answer
from weather.replay.observations import HOUR
from weather.replay.units import IMPERIAL
from weather.replay.variables import observed_variable

IMPOSSIBLE_WIND = 2000.0
ODD_TEMPERATURE = -75.0


def wrong_units(answer: Answer) -> None:
    """°F, mp/h and inches, as if they had been asked for."""
    for name, values in _variables(answer).items():
        if unit := IMPERIAL.get(answer["hourly_units"][name]):
            answer["hourly_units"][name] = unit.label
            answer["hourly"][name] = unit.converted(values)


def unequal_arrays(answer: Answer) -> None:
    """The first variable has a value less than there are hours."""
    _first_variable(answer).pop()


def repeated_hour(answer: Answer) -> None:
    """The first hour stands there twice, with its values."""
    for column in answer["hourly"].values():
        column.insert(0, column[0])


def falling_hours(answer: Answer) -> None:
    """The newest hour comes first."""
    for column in answer["hourly"].values():
        column.reverse()


def outside_hours(answer: Answer) -> None:
    """One hour follows the last that was asked for."""
    for column in answer["hourly"].values():
        column.append(column[-1])
    times = answer["hourly"]["time"]
    times[-1] = (datetime.fromisoformat(times[-1]) + HOUR).isoformat(timespec="minutes")


def not_finite(answer: Answer) -> None:
    """The literals NaN and Infinity, which are no JSON, but which Python's reader takes."""
    values = _first_variable(answer)
    values[0] = nan
    values[-1] = inf


def all_null(answer: Answer) -> None:
    """No variable has any value."""
    for values in _variables(answer).values():
        values[:] = [None] * len(values)


def text_value(answer: Answer) -> None:
    """A text where a number belongs."""
    _first_variable(answer)[0] = "n/a"


def missing_variable(answer: Answer) -> None:
    """The first variable that was asked for is left out."""
    name = next(iter(_variables(answer)))
    del answer["hourly"][name], answer["hourly_units"][name]


def other_place(answer: Answer) -> None:
    """Coordinates of a place 90 degrees of longitude away."""
    answer["longitude"] = (answer["longitude"] + 270) % 360 - 180


def odd_temperature(answer: Answer) -> None:
    """One hour has -75 °C: right in its form, wrong as weather."""
    _set_values(answer, "temperature_2m", ODD_TEMPERATURE, every=len(answer["hourly"]["time"]))


def impossible_values(answer: Answer) -> None:
    """Every twentieth wind, from the first on, is 2,000 km/h."""
    _set_values(answer, "wind_speed_10m", IMPOSSIBLE_WIND, every=20)


DAMAGES: dict[str, Callable[[Answer], None]] = {
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


def _variables(answer: Answer) -> dict[str, list[Any]]:
    return {name: column for name, column in answer["hourly"].items() if name != "time"}


def _first_variable(answer: Answer) -> list[Any]:
    return next(iter(_variables(answer).values()))


def _set_values(answer: Answer, variable: str, value: float, every: int) -> None:
    for name, values in _variables(answer).items():
        if observed_variable(name) == variable:
            for hour in range(0, len(values), every):
                values[hour] = value
