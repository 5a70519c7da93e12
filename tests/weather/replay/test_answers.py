"""Healthy answers over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from weather.replay.observations import observed_values, station_for
from weather.timezones import zone

LYON = {"latitude": "45.75", "longitude": "4.85"}
THREE = {"latitude": "45.75,40.71,22.57", "longitude": "4.85,-74.01,88.36"}
ALL = {"hourly": "temperature_2m,precipitation,wind_speed_10m"}
SIX_HOURS = {"start_hour": "2026-02-10T22:00", "end_hour": "2026-02-11T03:00"}
FIRST = datetime(2026, 2, 10, 22, tzinfo=UTC)
COORDINATES = [(45.75, 4.85), (40.71, -74.01), (22.57, 88.36)]


def forecast(replay: httpx.Client, *parts: dict[str, str], **more: str) -> Any:
    """The answer to a form with those parameters, which must be 200."""
    form = {name: value for part in parts for name, value in part.items()} | more
    response = replay.post("/v1/forecast", data=form)
    assert response.status_code == 200, response.text
    return response.json()


def without_time_taken(answer: Any) -> Any:
    """The answer without what differs between two equal requests."""
    if isinstance(answer, list):
        return [without_time_taken(each) for each in answer]
    return {name: value for name, value in answer.items() if name != "generationtime_ms"}


def test_one_location_gets_an_object_with_the_observations(replay: httpx.Client) -> None:
    answer = forecast(replay, LYON, ALL, SIX_HOURS, timezone="GMT")
    assert list(answer) == [
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
    assert (answer["utc_offset_seconds"], answer["timezone"]) == (0, "GMT")
    assert answer["hourly_units"] == {
        "time": "iso8601",
        "temperature_2m": "°C",
        "precipitation": "mm",
        "wind_speed_10m": "km/h",
    }
    assert answer["hourly"]["time"] == [
        "2026-02-10T22:00",
        "2026-02-10T23:00",
        "2026-02-11T00:00",
        "2026-02-11T01:00",
        "2026-02-11T02:00",
        "2026-02-11T03:00",
    ]
    for variable in ("temperature_2m", "precipitation", "wind_speed_10m"):
        assert answer["hourly"][variable] == observed_values("LGA", variable, FIRST, 6)


def test_several_locations_get_an_array_in_their_order(replay: httpx.Client) -> None:
    answer = forecast(replay, THREE, ALL, SIX_HOURS)
    assert [each.get("location_id") for each in answer] == [None, 1, 2]
    assert "location_id" not in answer[0]
    for each, coordinate in zip(answer, COORDINATES, strict=True):
        expected = observed_values(station_for(*coordinate), "temperature_2m", FIRST, 6)
        assert each["hourly"]["temperature_2m"] == expected


def test_coordinates_are_those_of_a_grid_cell_nearby(replay: httpx.Client) -> None:
    poles = {"latitude": "90,-90", "longitude": "180,-180"}
    for answer, (latitude, longitude) in zip(
        forecast(replay, THREE, ALL, SIX_HOURS) + forecast(replay, poles, ALL, SIX_HOURS),
        [*COORDINATES, (90, 180), (-90, -180)],
        strict=True,
    ):
        assert 0 < abs(answer["latitude"] - latitude) <= 0.0625
        assert 0 < abs(answer["longitude"] - longitude) <= 0.0625
        assert abs(answer["latitude"]) <= 90
        assert abs(answer["longitude"]) <= 180


def test_form_json_and_url_get_the_same(replay: httpx.Client) -> None:
    parameters = THREE | ALL | SIX_HOURS
    as_json = {
        "latitude": [latitude for latitude, _ in COORDINATES],
        "longitude": [longitude for _, longitude in COORDINATES],
        "hourly": ALL["hourly"].split(","),
        **SIX_HOURS,
    }
    repeated = httpx.QueryParams({**parameters, "hourly": ALL["hourly"].split(",")})
    answers = [
        forecast(replay, parameters),
        replay.post("/v1/forecast", json=as_json).json(),
        replay.get("/v1/forecast", params=parameters).json(),
        replay.get("/v1/forecast", params=repeated).json(),
    ]
    first = without_time_taken(answers[0])
    assert all(without_time_taken(answer) == first for answer in answers)


@pytest.mark.parametrize("name", ["windspeed_10m", "wind_speed_10m"])
def test_the_wind_comes_back_under_the_name_asked_for(replay: httpx.Client, name: str) -> None:
    answer = forecast(replay, LYON, SIX_HOURS, hourly=name)
    assert list(answer["hourly"]) == ["time", name]
    assert answer["hourly_units"] == {"time": "iso8601", name: "km/h"}
    assert answer["hourly"][name] == observed_values("LGA", "wind_speed_10m", FIRST, 6)


@pytest.mark.parametrize("name", ["rain", "cloudcover", "temperature_850hPa"])
def test_a_variable_without_data_is_all_null(replay: httpx.Client, name: str) -> None:
    answer = forecast(replay, LYON, SIX_HOURS, hourly=name)
    assert answer["hourly_units"][name] == "undefined"
    assert answer["hourly"][name] == [None] * 6


def test_without_variables_there_is_no_hourly_section(replay: httpx.Client) -> None:
    assert "hourly" not in forecast(replay, LYON, SIX_HOURS)


def test_unknown_parameters_are_ignored(replay: httpx.Client) -> None:
    plain = forecast(replay, LYON, ALL, SIX_HOURS)
    more = forecast(replay, LYON, ALL, SIX_HOURS, colour="blue", apikey="secret")
    assert without_time_taken(more) == without_time_taken(plain)


def test_local_time_has_the_offset_of_today_whatever_the_season(replay: httpx.Client) -> None:
    offset = datetime.now(zone("Europe/Paris")).utcoffset()
    assert offset is not None
    for day in ("2026-01-15", "2026-07-15", "2026-03-29"):
        answer = forecast(replay, LYON, ALL, timezone="Europe/Paris", start_date=day, end_date=day)
        assert answer["utc_offset_seconds"] == offset.total_seconds()
        assert answer["timezone"] == "Europe/Paris"
        assert len(answer["hourly"]["time"]) == 24
        first = datetime.fromisoformat(f"{day}T00:00+00:00") - offset
        expected = observed_values("LGA", "temperature_2m", first, 24)
        assert answer["hourly"]["temperature_2m"] == expected


def test_a_half_hour_offset_shows_whole_hours_of_data(replay: httpx.Client) -> None:
    answer = forecast(replay, LYON, ALL, SIX_HOURS, timezone="Asia/Kolkata")
    assert answer["utc_offset_seconds"] == 19_800
    assert answer["hourly"]["time"][0] == "2026-02-10T22:00"
    expected = observed_values("LGA", "temperature_2m", FIRST - timedelta(hours=5), 6)
    assert answer["hourly"]["temperature_2m"] == expected


def test_each_location_may_have_its_own_time_zone(replay: httpx.Client) -> None:
    zones = "GMT,America/Sao_Paulo,Asia/Kolkata"
    answer = forecast(replay, THREE, ALL, SIX_HOURS, timezone=zones)
    assert [each["utc_offset_seconds"] for each in answer] == [0, -10_800, 19_800]


@pytest.mark.parametrize(
    ("parameters", "days_back", "hours"),
    [
        ({}, 0, 7 * 24),
        ({"past_days": "7"}, 7, 14 * 24),
        ({"past_days": "2", "forecast_days": "1"}, 2, 3 * 24),
        ({"forecast_days": "0", "past_days": "1"}, 1, 24),
    ],
)
def test_days_around_today(
    replay: httpx.Client, parameters: dict[str, str], days_back: int, hours: int
) -> None:
    before = datetime.now(UTC)
    times = forecast(replay, LYON, ALL, parameters)["hourly"]["time"]
    possible = {
        f"{moment - timedelta(days=days_back):%Y-%m-%d}T00:00"
        for moment in (before, datetime.now(UTC))
    }
    assert times[0] in possible
    assert len(times) == hours


def test_hours_around_now(replay: httpx.Client) -> None:
    times = forecast(replay, LYON, ALL, past_hours="3", forecast_hours="2")["hourly"]["time"]
    assert len(times) == 5
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(f"{times[3]}+00:00")


def test_other_units(replay: httpx.Client) -> None:
    answer = forecast(
        replay,
        LYON,
        ALL,
        SIX_HOURS,
        temperature_unit="fahrenheit",
        precipitation_unit="inch",
        wind_speed_unit="mph",
    )
    assert list(answer["hourly_units"].values()) == ["iso8601", "°F", "inch", "mp/h"]
    celsius = forecast(replay, LYON, ALL, SIX_HOURS)["hourly"]["temperature_2m"]
    assert answer["hourly"]["temperature_2m"] == [round(each * 1.8 + 32, 1) for each in celsius]


def test_a_thousand_locations(replay: httpx.Client) -> None:
    answer = forecast(
        replay, ALL, SIX_HOURS, latitude=",".join(["1.5"] * 1000), longitude=",".join(["2"] * 1000)
    )
    assert answer[-1]["location_id"] == 999
