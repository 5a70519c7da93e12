"""Responses without faults over HTTP."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from weather.replay.observations import observed_values, station_for

LYON = {"latitude": "45.75", "longitude": "4.85"}
THREE = {"latitude": "45.75,40.71,22.57", "longitude": "4.85,-74.01,88.36"}
ALL = {"hourly": "temperature_2m,precipitation,wind_speed_10m"}
SIX_HOURS = {"start_hour": "2026-02-10T22:00", "end_hour": "2026-02-11T03:00"}
FIRST = datetime(2026, 2, 10, 22, tzinfo=UTC)
COORDINATES = [(45.75, 4.85), (40.71, -74.01), (22.57, 88.36)]


def forecast(replay: httpx.Client, *parts: dict[str, str], **more: str) -> Any:
    """Post a form with these parameters, require status 200, and return the JSON."""
    form = {name: value for part in parts for name, value in part.items()} | more
    response = replay.post("/v1/forecast", data=form)
    assert response.status_code == 200, response.text
    return response.json()


def without_time_taken(response: Any) -> Any:
    """Remove the field that differs between two equal requests."""
    if isinstance(response, list):
        return [without_time_taken(each) for each in response]
    return {name: value for name, value in response.items() if name != "generationtime_ms"}


def test_one_location_returns_an_object(replay: httpx.Client) -> None:
    response = forecast(replay, LYON, ALL, SIX_HOURS, timezone="GMT")
    assert list(response) == [
        "latitude",
        "longitude",
        "generationtime_ms",
        "utc_offset_seconds",
        "timezone",
        "timezone_abbreviation",
        "elevation",
        "hourly_units",
        "hourly",
    ]
    assert (response["utc_offset_seconds"], response["timezone"]) == (0, "GMT")
    assert response["hourly_units"] == {
        "time": "iso8601",
        "temperature_2m": "°C",
        "precipitation": "mm",
        "wind_speed_10m": "km/h",
    }
    assert response["hourly"]["time"] == [
        "2026-02-10T22:00",
        "2026-02-10T23:00",
        "2026-02-11T00:00",
        "2026-02-11T01:00",
        "2026-02-11T02:00",
        "2026-02-11T03:00",
    ]
    for variable in ("temperature_2m", "precipitation", "wind_speed_10m"):
        assert response["hourly"][variable] == observed_values("LGA", variable, FIRST, 6)


def test_several_locations_return_an_array_in_order(replay: httpx.Client) -> None:
    response = forecast(replay, THREE, ALL, SIX_HOURS)
    assert [each.get("location_id") for each in response] == [None, 1, 2]
    assert "location_id" not in response[0]
    for each, coordinate in zip(response, COORDINATES, strict=True):
        expected = observed_values(station_for(*coordinate), "temperature_2m", FIRST, 6)
        assert each["hourly"]["temperature_2m"] == expected


def test_coordinates_are_those_of_a_nearby_grid_cell(replay: httpx.Client) -> None:
    poles = {"latitude": "90,-90", "longitude": "180,-180"}
    for response, (latitude, longitude) in zip(
        forecast(replay, THREE, ALL, SIX_HOURS) + forecast(replay, poles, ALL, SIX_HOURS),
        [*COORDINATES, (90, 180), (-90, -180)],
        strict=True,
    ):
        assert 0 < abs(response["latitude"] - latitude) <= 0.0625
        assert 0 < abs(response["longitude"] - longitude) <= 0.0625
        assert abs(response["latitude"]) <= 90
        assert abs(response["longitude"]) <= 180


def test_get_and_post_return_the_same(replay: httpx.Client) -> None:
    parameters = THREE | ALL | SIX_HOURS
    in_url = replay.get("/v1/forecast", params=parameters).json()
    assert without_time_taken(in_url) == without_time_taken(forecast(replay, parameters))


def test_without_variables_hourly_is_omitted(replay: httpx.Client) -> None:
    assert "hourly" not in forecast(replay, LYON, SIX_HOURS)


def test_unknown_parameters_are_ignored(replay: httpx.Client) -> None:
    plain = forecast(replay, LYON, ALL, SIX_HOURS)
    more = forecast(replay, LYON, ALL, SIX_HOURS, colour="blue", apikey="secret")
    assert without_time_taken(more) == without_time_taken(plain)


def test_a_thousand_locations_are_accepted(replay: httpx.Client) -> None:
    response = forecast(
        replay, ALL, SIX_HOURS, latitude=",".join(["1.5"] * 1000), longitude=",".join(["2"] * 1000)
    )
    assert response[-1]["location_id"] == 999


def test_requests_are_counted(replay: httpx.Client) -> None:
    before = replay.get("/replay/requests").json()["requests"]
    forecast(replay, LYON, ALL, SIX_HOURS)
    assert replay.get("/replay/requests").json() == {"requests": before + 1}


COUNTS = "Parameter 'latitude' and 'longitude' must have the same number of elements"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"latitude": ""}, COUNTS),
        ({"latitude": "", "longitude": ""}, "must not be empty"),
        ({"latitude": "45.75,40.71"}, COUNTS),
        ({"latitude": "90.5"}, "Latitude must be in range of -90 to 90°. Given: 90.5."),
        ({"latitude": "nan"}, "Latitude must be in range of -90 to 90°. Given: nan."),
        ({"longitude": "-181"}, "Longitude must be in range of -180 to 180°. Given: -181.0."),
        ({"latitude": "north"}, "invalid String value north for key latitude"),
        (
            {"latitude": ",".join(["1"] * 1001), "longitude": ",".join(["1"] * 1001)},
            "Only up to 1000 locations can be requested at once",
        ),
        ({"hourly": "temperature_2m,warmth"}, "from invalid String value warmth"),
        ({"timezone": "Europe/Paris"}, "supports only timezone=GMT"),
        ({"start_hour": ""}, "use 'YYYY-MM-DDTHH:mm'"),
        ({"end_hour": "tomorrow"}, "use 'YYYY-MM-DDTHH:mm'"),
        ({"end_hour": "2026-02-10T21:00"}, "End-date must be larger or equals than start-date"),
    ],
)
def test_an_invalid_request_gets_400(
    replay: httpx.Client, wrong: dict[str, str], reason: str
) -> None:
    response = replay.post("/v1/forecast", data=LYON | ALL | SIX_HOURS | wrong)
    assert response.status_code == 400
    body = response.json()
    assert body.keys() == {"error", "reason"}
    assert body["error"] is True
    assert reason in body["reason"]
