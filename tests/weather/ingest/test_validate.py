"""Validation of one location's response: format, units, hours and coordinates."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.weather.ingest.examples import (
    JSON_VALUES,
    UNITS,
    Response,
    requested_and_returned,
    response_of,
)
from weather.ingest.validate import wrong_format
from weather.window import Window

WINDOW = Window(datetime(2026, 11, 22, 22, tzinfo=UTC), datetime(2026, 11, 23, 2, tzinfo=UTC))


@given(requested_and_returned())
def test_a_response_with_one_value_and_any_nulls_is_valid(case: tuple[Window, Response]) -> None:
    window, response = case
    assert wrong_format(response, window) is None


@given(requested_and_returned())
def test_a_response_for_another_window_is_invalid(case: tuple[Window, Response]) -> None:
    window, response = case
    longer = Window(window.start, window.end + (window.end - window.start))
    assert wrong_format(response, longer) is not None


@given(requested_and_returned(), st.data())
def test_a_response_without_some_hour_is_invalid(
    case: tuple[Window, Response], data: st.DataObject
) -> None:
    window, response = case
    lost = data.draw(st.integers(0, window.hours - 1))
    for column in response["hourly"].values():
        del column[lost]
    assert wrong_format(response, window) is not None


@given(requested_and_returned(), st.sampled_from(["time", *UNITS]), st.data())
def test_a_column_of_another_length_is_invalid(
    case: tuple[Window, Response], name: str, data: st.DataObject
) -> None:
    window, response = case
    column = response["hourly"][name]
    column[:] = data.draw(st.sampled_from([column[:-1], [*column, column[-1]]]))
    assert wrong_format(response, window) is not None


@given(requested_and_returned(), st.data())
def test_unsorted_hours_are_invalid(case: tuple[Window, Response], data: st.DataObject) -> None:
    window, response = case
    times = response["hourly"]["time"]
    shuffled = data.draw(st.permutations(times))
    response["hourly"]["time"] = list(shuffled)
    assert (wrong_format(response, window) is None) == (list(shuffled) == times)


@given(requested_and_returned(most_hours=3), JSON_VALUES, st.data())
def test_validation_never_raises(
    case: tuple[Window, Response], odd: Any, data: st.DataObject
) -> None:
    window, response = case
    place = data.draw(
        st.sampled_from([(), ("hourly",), ("hourly_units",), ("utc_offset_seconds",)])
    )
    if place:
        response[place[0]] = odd
    else:
        hourly = response["hourly"]
        name = data.draw(st.sampled_from(sorted(hourly)))
        hourly[name] = data.draw(st.sampled_from([odd, [odd] * window.hours]))
    wrong_format(response, window)
    wrong_format(odd, window)


def changed(change: Callable[[Response], object]) -> Response:
    response = deepcopy(response_of(WINDOW))
    change(response)
    return response


def put(name: str, place: int, value: object) -> Callable[[Response], object]:
    return lambda response: response["hourly"][name].__setitem__(place, value)


def column(name: str, values: object) -> Callable[[Response], object]:
    return lambda response: response["hourly"].__setitem__(name, values)


def unit(name: str, text: str) -> Callable[[Response], object]:
    return lambda response: response["hourly_units"].__setitem__(name, text)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda response: response.update(utc_offset_seconds=-10800),
            "utc_offset_seconds is -10800, but UTC was requested",
        ),
        (
            lambda response: response.pop("utc_offset_seconds"),
            "utc_offset_seconds is None, but UTC was requested",
        ),
        (lambda response: response.pop("hourly"), "hourly or hourly_units is missing"),
        (lambda response: response.update(hourly_units=[]), "hourly or hourly_units is missing"),
        (
            lambda response: response["hourly"].pop("precipitation"),
            "hourly.precipitation is missing",
        ),
        (column("time", None), "hourly.time is missing"),
        (
            column("wind_speed_10m", [1.0] * 3),
            "hourly.wind_speed_10m has 3 values for 4 hours",
        ),
        (unit("temperature_2m", "°F"), "temperature_2m is in '°F', not in '°C'"),
        (unit("wind_speed_10m", "mp/h"), "wind_speed_10m is in 'mp/h', not in 'km/h'"),
        (unit("precipitation", "undefined"), "precipitation is in 'undefined', not in 'mm'"),
        (unit("time", "unixtime"), "hourly.time is in 'unixtime', not in 'iso8601'"),
        (
            put("time", 1, "2026-11-22T22:00"),
            "duplicate hour 2026-11-22T22:00",
        ),
        (
            put("time", 2, "2026-11-22T22:00"),
            "2026-11-22T22:00 comes after 2026-11-22T23:00",
        ),
        (
            put("time", 3, "2026-11-23T02:00"),
            (
                "2026-11-23T02:00 is outside of the requested hours, "
                "2026-11-22T22:00 to 2026-11-23T01:00"
            ),
        ),
        (
            put("time", 0, "2026-11-22T21:00"),
            (
                "2026-11-22T21:00 is outside of the requested hours, "
                "2026-11-22T22:00 to 2026-11-23T01:00"
            ),
        ),
        (
            put("time", 1, "2026-11-22T23:30"),
            "1 of 4 hours are missing, the first is 2026-11-22T23:00",
        ),
        (
            put("time", 1, "2026-11-22T23:00Z"),
            "hourly.time has '2026-11-22T23:00Z', not a time like 2026-11-22T22:00",
        ),
        (
            put("time", 1, 1795383600),
            "hourly.time has 1795383600, not a time like 2026-11-22T22:00",
        ),
        (
            put("time", 1, "2026-02-30T00:00"),
            "hourly.time has '2026-02-30T00:00', not a time like 2026-11-22T22:00",
        ),
        (
            put("temperature_2m", 2, "NaN"),
            "temperature_2m at 2026-11-23T00:00 is 'NaN', not a finite number",
        ),
        (
            put("precipitation", 0, True),
            "precipitation at 2026-11-22T22:00 is True, not a finite number",
        ),
        (
            put("wind_speed_10m", 3, float("inf")),
            "wind_speed_10m at 2026-11-23T01:00 is inf, not a finite number",
        ),
        (
            lambda response: [column(name, [None] * 4)(response) for name in UNITS],
            "all values of the 4 hours are null",
        ),
    ],
)
def test_the_reason_describes_the_problem(
    change: Callable[[Response], object], problem: str
) -> None:
    assert wrong_format(changed(change), WINDOW) == problem


@pytest.mark.parametrize(
    "change",
    [
        lambda response: response.update(utc_offset_seconds=0.0),
        lambda response: response.update(current={"time": "2026-11-23T13:15"}),
        column("precipitation", [None] * 4),
        lambda response: (
            column("precipitation", [None] * 4)(response),
            unit("precipitation", "undefined")(response),
        ),
        column("temperature_2m", [None, 1, 2.5, None]),
        put("wind_speed_10m", 0, 2000.0),
    ],
)
def test_unusual_responses_of_the_service_are_valid(change: Callable[[Response], object]) -> None:
    assert wrong_format(changed(change), WINDOW) is None


@pytest.mark.parametrize("response", [None, [], "text", 1, {"error": True, "reason": "no"}])
def test_another_json_value_is_invalid(response: object) -> None:
    assert wrong_format(response, WINDOW) is not None


def test_a_number_too_large_for_a_float_is_invalid() -> None:
    response = changed(put("temperature_2m", 0, json.loads("1" + "0" * 400)))
    assert wrong_format(response, WINDOW) is not None
