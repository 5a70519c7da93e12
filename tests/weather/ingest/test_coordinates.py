"""Validate that a response is for the requested coordinates."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.weather.ingest.examples import JSON_VALUES, Response, location
from weather.ingest.validate import wrong_location
from weather.locations import Location


def place(latitude: float, longitude: float) -> Location:
    return location(1).model_copy(update={"latitude": latitude, "longitude": longitude})


@pytest.mark.parametrize(
    ("requested", "returned"),
    [
        # The cell of a grid of 0.25 degrees, 1.5 cells away in each direction, on the equator.
        ((0.0, 0.0), (0.375, 0.375)),
        ((45.75, 4.85), (45.76, 4.84)),
        ((0.0, 179.9), (0.1, -179.95)),
        ((0.0, -180.0), (0.0, 180.0)),
        ((10.0, 4.85), (10.0, 364.85)),
        ((89.9, 0.0), (89.9, 180.0)),
        ((-90.0, 0.0), (-89.875, 123.0)),
        ((45.75, 4.85), (None, 4.84)),
        ((45.75, 4.85), ("-nan", "nan")),
        ((45.75, 4.85), ("45.7", "4.8")),
    ],
)
def test_coordinates_of_a_nearby_grid_cell_are_valid(
    requested: tuple[float, float], returned: tuple[object, object]
) -> None:
    response = {"latitude": returned[0], "longitude": returned[1]}
    assert wrong_location(response, place(*requested), 0) is None
    assert wrong_location(response | {"location_id": 3}, place(*requested), 3) is None


@pytest.mark.parametrize(
    ("requested", "returned", "kilometres"),
    [
        # Distances by the spherical law of cosines. A degree of latitude is 111.2 km.
        ((22.57, 88.36), (45.75, 4.85), 7745),
        ((45.75, 4.85), (45.75, 5.85), 78),
        ((0.0, 0.0), (1.0, 0.0), 111),
        ((0.0, 179.9), (0.0, -179.0), 122),
        ((45.75, 4.85), (46.75, "nan"), 111),
        ((45.75, 4.85), ("nan", 4.0), 66),
        ((45.75, 4.85), (-45.75, -175.15), 20015),
    ],
)
def test_distant_coordinates_are_reported_with_requested_ones(
    requested: tuple[float, float], returned: tuple[object, object], kilometres: float
) -> None:
    response = {"latitude": returned[0], "longitude": returned[1]}
    problem = wrong_location(response, place(*requested), 0)
    assert problem is not None
    words = re.fullmatch(
        r"the response is for latitude (\S+), longitude (\S+), ([\d,]+) km from the requested "
        r"(\S+), (\S+)",
        problem,
    )
    assert words is not None
    assert [words[1], words[2]] == [
        "unknown" if value == "nan" else f"{value:g}" for value in returned
    ]
    assert float(words[3].replace(",", "")) == pytest.approx(kilometres, rel=0.005)
    assert (float(words[4]), float(words[5])) == requested


@pytest.mark.parametrize(
    ("response", "position", "problem"),
    [
        ({"location_id": 2}, 0, "location_id is 2, but 0 was requested"),
        ({"location_id": 1}, 2, "location_id is 1, but 2 was requested"),
        ({"location_id": "2"}, 0, "location_id is 2, but 0 was requested"),
        ({}, 1, "the response lacks location_id and coordinates"),
        ({"latitude": 45.75}, 1, "the response lacks location_id and coordinates"),
        ({"latitude": 45.75, "longitude": 5.2}, 1, "the response is for latitude 45.75, longi"),
        ({"latitude": 405.75, "longitude": 4.85}, 0, "the response is for latitude 405.75, "),
    ],
)
def test_a_response_for_another_location_is_invalid(
    response: Response, position: int, problem: str
) -> None:
    assert (wrong_location(response, place(45.75, 4.85), position) or "").startswith(problem)


@pytest.mark.parametrize(
    ("response", "position"),
    [
        ({}, 0),
        ({"location_id": 0}, 0),
        ({"location_id": 3}, 3),
        ({"location_id": 3.0, "latitude": "nan"}, 3),
        ({"latitude": 45.7, "longitude": 4.8}, 1),
    ],
)
def test_a_response_without_a_contradiction_is_valid(response: Response, position: int) -> None:
    assert wrong_location(response, place(45.75, 4.85), position) is None


@given(JSON_VALUES, JSON_VALUES, JSON_VALUES, st.integers(0, 2))
def test_validation_of_the_location_never_raises(
    number: Any, latitude: Any, longitude: Any, position: int
) -> None:
    response = {"location_id": number, "latitude": latitude, "longitude": longitude}
    wrong_location(response, place(45.75, 4.85), position)
    wrong_location(number, place(45.75, 4.85), position)
