"""Compare the replay with responses recorded from the real service.

Otherwise client and replay could share a mistake. The recordings are not part of the project.
WEATHER_RECORDED_ANSWERS names their folder.
"""

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from weather.replay.observations import VARIABLES

FOLDER = Path(
    os.environ.get("WEATHER_RECORDED_ANSWERS")
    or Path(__file__).resolve().parents[4] / "shared" / "data" / "open-meteo"
)
OTHER_SECTIONS = {"current", "current_units", "daily", "daily_units"}

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(),
    reason=f"no recorded responses in {FOLDER}: set WEATHER_RECORDED_ANSWERS to their folder",
)


def recorded(name: str) -> Any:
    """Return a recorded body."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def kind(value: object) -> str:
    """Return the JSON type of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


@pytest.fixture(
    params=[
        "forecast-new-york.json",
        "forecast-melbourne.json",
    ]
)
def real(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A recorded forecast, with only the hourly variables that the replay supports."""
    body = recorded(request.param)
    for section in ("hourly", "hourly_units"):
        body[section] = {
            name: each for name, each in body[section].items() if name in ("time", *VARIABLES)
        }
    return {name: value for name, value in body.items() if name not in OTHER_SECTIONS}


@pytest.fixture
def replayed(replay: httpx.Client, real: dict[str, Any]) -> dict[str, Any]:
    """The replay's response to the recorded request."""
    times = real["hourly"]["time"]
    response = replay.get(
        "/v1/forecast",
        params={
            "latitude": real["latitude"],
            "longitude": real["longitude"],
            "timezone": real["timezone"],
            "hourly": ",".join(name for name in real["hourly"] if name != "time"),
            "start_hour": times[0],
            "end_hour": times[-1],
        },
    )
    body = response.raise_for_status().json()
    assert isinstance(body, dict)
    return body


def test_keys_and_types_equal_the_recorded_ones(
    real: dict[str, Any], replayed: dict[str, Any]
) -> None:
    assert list(replayed) == list(real)
    assert {name: kind(value) for name, value in replayed.items()} == {
        name: kind(value) for name, value in real.items()
    }


def test_the_time_zone_equals_the_recorded_one(
    real: dict[str, Any], replayed: dict[str, Any]
) -> None:
    for name in ("timezone", "timezone_abbreviation", "utc_offset_seconds"):
        assert replayed[name] == real[name]


def test_hours_equal_the_recorded_ones(real: dict[str, Any], replayed: dict[str, Any]) -> None:
    assert replayed["hourly"]["time"] == real["hourly"]["time"]


def test_variables_and_units_equal_the_recorded_ones(
    real: dict[str, Any], replayed: dict[str, Any]
) -> None:
    assert list(replayed["hourly"]) == list(real["hourly"])
    assert replayed["hourly_units"] == real["hourly_units"]


def test_values_have_the_recorded_types(real: dict[str, Any], replayed: dict[str, Any]) -> None:
    for name, values in replayed["hourly"].items():
        assert len(values) == len(real["hourly"][name])
        allowed = {kind(value) for value in real["hourly"][name]} | {"null"}
        assert {kind(value) for value in values} <= allowed


def test_the_error_equals_the_recorded_one(replay: httpx.Client) -> None:
    form = {"latitude": "45.75", "longitude": "4.85", "hourly": "lksdfj"}
    response = replay.post("/v1/forecast", data=form)
    assert (response.status_code, response.json()) == (400, recorded("error-400-variable.json"))
