"""Requests to Open-Meteo: form and host."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.weather.ingest.examples import location, source_at, windows
from weather.ingest.job import Call
from weather.ingest.open_meteo import request_form
from weather.ingest.quota import base_url_of
from weather.window import HOUR, Window

NOW = datetime(2026, 11, 23, 5, 7, tzinfo=UTC)
API, ARCHIVE = "https://api.open-meteo.com", "https://historical-forecast-api.open-meteo.com"


def call_from(start: datetime) -> Call:
    return Call(0, Window(start, start + HOUR), [location(1)])


def test_the_form_requests_the_hours_of_the_window() -> None:
    window = Window(datetime(2026, 11, 16, 5, tzinfo=UTC), datetime(2026, 11, 23, 5, tzinfo=UTC))
    form = request_form(Call(0, window, [location(1), location(2)]))
    assert form.pop("hourly").startswith("temperature_2m,precipitation,wind_speed_10m")
    assert form == {
        "latitude": "1.0,2.0",
        "longitude": "1.0,2.0",
        "timezone": "GMT",
        "start_hour": "2026-11-16T05:00",
        "end_hour": "2026-11-23T04:00",
    }


@given(window=windows(), count=st.integers(1, 100))
def test_the_form_names_every_location_in_order(window: Window, count: int) -> None:
    form = request_form(Call(0, window, [location(number) for number in range(count)]))
    assert [float(text) for text in form["latitude"].split(",")] == [
        location(number).latitude for number in range(count)
    ]


@pytest.mark.parametrize(
    ("hours_ago", "address"),
    [(1, API), (89 * 24, API), (90 * 24 - 1, API), (90 * 24 + 1, ARCHIVE), (70_000, ARCHIVE)],
)
def test_hours_more_than_90_days_old_come_from_the_archive(hours_ago: int, address: str) -> None:
    call = call_from(NOW.replace(minute=0) - hours_ago * HOUR)
    assert base_url_of(call, source_at(API, ARCHIVE), NOW) == address


@pytest.mark.parametrize(
    ("url", "key", "expected"),
    [
        (API, None, API),
        (API, "k", "https://customer-api.open-meteo.com"),
        (ARCHIVE, "k", "https://customer-historical-forecast-api.open-meteo.com"),
        ("https://customer-api.open-meteo.com", "k", "https://customer-api.open-meteo.com"),
        ("http://127.0.0.1:1234", "k", "http://127.0.0.1:1234"),
        ("https://weather.example.org/om", "k", "https://weather.example.org/om"),
    ],
)
def test_an_api_key_selects_the_paid_host(url: str, key: str | None, expected: str) -> None:
    call = call_from(NOW.replace(minute=0))
    assert base_url_of(call, source_at(url, key=key), NOW) == expected
