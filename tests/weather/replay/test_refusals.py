"""Requests that the service answers with 400."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

GOOD = {"latitude": "45.75", "longitude": "4.85", "hourly": "temperature_2m"}
TOO_LATE = f"{datetime.now(UTC) + timedelta(days=20):%Y-%m-%dT%H:00}"
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
        ({"wind_speed_unit": "knots"}, "WindspeedUnit from invalid String value knots"),
        ({"timezone": "Europe/Atlantis"}, "Invalid timezone"),
        ({"timezone": "GMT,GMT"}, COUNTS),
        ({"start_hour": "2026-11-20T05:00"}, "must have the same number of elements"),
        ({"start_hour": "yesterday", "end_hour": "today"}, "use 'YYYY-MM-DDTHH:mm'"),
        ({"start_date": "20-11", "end_date": "2026-11-21"}, "use 'YYYY-MM-DD'"),
        (
            {"start_hour": "2026-11-20T05:00", "end_hour": "2026-11-20T04:00"},
            "End-date must be larger or equals than start-date",
        ),
        (
            {"start_hour": "2026-11-20T05:00", "end_hour": TOO_LATE},
            "Parameter 'end_hourly' is out of allowed range",
        ),
        (
            {"start_date": "1939-12-31", "end_date": "1940-01-01"},
            "Parameter 'start_date' is out of allowed range from 1940-01-01",
        ),
        ({"past_days": "93"}, "Past days is invalid. Allowed range 0 to 92. Given 93."),
        ({"forecast_days": "17"}, "Forecast days is invalid. Allowed range 0 to 16."),
        ({"past_days": "many"}, "Cannot initialize Int from invalid String value many"),
    ],
)
def test_a_wrong_request_is_refused(
    replay: httpx.Client, wrong: dict[str, str], reason: str
) -> None:
    response = replay.post("/v1/forecast", data=GOOD | wrong)
    assert response.status_code == 400
    answer = response.json()
    assert answer.keys() == {"error", "reason"}
    assert answer["error"] is True
    assert reason in answer["reason"]


@pytest.mark.parametrize("days", ["past_days", "forecast_days", "past_hours", "forecast_hours"])
@pytest.mark.parametrize(
    "period",
    [
        {"start_hour": "2026-11-20T05:00", "end_hour": "2026-11-20T06:00"},
        {"start_date": "2026-11-20", "end_date": "2026-11-20"},
    ],
)
def test_periods_exclude_days_around_today(
    replay: httpx.Client, days: str, period: dict[str, str]
) -> None:
    response = replay.post("/v1/forecast", data=GOOD | period | {days: "1"})
    assert (response.status_code, response.json()["reason"]) == (
        400,
        f"Parameter '{days}' is mutually exclusive with 'start_date' and 'end_date'",
    )


@pytest.mark.parametrize("body", ["[1]", "{"])
def test_a_body_that_is_no_json_object_is_refused(replay: httpx.Client, body: str) -> None:
    response = replay.post(
        "/v1/forecast", content=body, headers={"content-type": "application/json"}
    )
    assert (response.status_code, response.json()["error"]) == (400, True)
