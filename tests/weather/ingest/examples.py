"""Example locations, windows and valid responses, and strategies that generate them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.weather.ingest.scripted_server import Reply
from weather.ingest.job import Job
from weather.locations import Location
from weather.settings import SourceSettings
from weather.variables import VARIABLES
from weather.window import HOUR, Window

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)

WINDOW = Window(datetime(2024, 2, 10, 22, tzinfo=UTC), datetime(2024, 2, 11, 4, tzinfo=UTC))
"""Six past hours, for which the replay has every value."""

Lines = dict[str, list[dict[str, Any]]]
"""JSON lines by the key of their object in the store."""

UNITS = {each.source_name: each.unit for each in VARIABLES} | {
    "temperature_2m": "°C",
    "precipitation": "mm",
    "wind_speed_10m": "km/h",
}
"""The units in a valid response. The units of the first variables are written by hand."""


@cache
def location(number: int) -> Location:
    """Create a location from its number."""
    return Location(
        id=f"place-{number}",
        name=f"Place {number}",
        latitude=number % 90,
        longitude=number % 180,
        timezone="Europe/Paris",
    )


def source_at(url: str, archive_url: str | None = None, key: str | None = None) -> SourceSettings:
    """Return settings with this host, and with the archive's host or the same host."""
    return SourceSettings(
        open_meteo_url=url, open_meteo_archive_url=archive_url or url, open_meteo_api_key=key
    )


def responses_to(window: Window, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Return the responses to a request for `location(number)` of each number."""
    return [
        response_of(window, number=number) | ({"location_id": position} if position else {})
        for position, number in enumerate(numbers)
    ]


def windows(most_hours: int = 2000) -> st.SearchStrategy[Window]:
    """Generate windows of one hour to `most_hours`."""

    def window(start: int, hours: int) -> Window:
        return Window(EPOCH + start * HOUR, EPOCH + (start + hours) * HOUR)

    return st.builds(window, st.integers(0, 60_000), st.integers(1, most_hours))


def values() -> st.SearchStrategy[float | int | None]:
    """Generate values of a variable, null included."""
    return st.none() | st.integers(-60, 60) | st.floats(-60, 60)


@st.composite
def requested_and_returned(draw: st.DrawFn, most_hours: int = 24) -> tuple[Window, dict[str, Any]]:
    """Generate a window, and a valid response with at least one value."""
    window = draw(windows(most_hours))
    columns: dict[str, list[Any]] = {
        name: draw(st.lists(values(), min_size=window.hours, max_size=window.hours))
        for name in UNITS
    }
    columns["temperature_2m"][draw(st.integers(0, window.hours - 1))] = 12.5
    return window, response_of(window, columns)


def response_of(
    window: Window, columns: dict[str, list[Any]] | None = None, number: int = 1
) -> dict[str, Any]:
    """Return a response for `location(number)` like the service's, without a `location_id`."""
    hours = [window.start + hour * HOUR for hour in range(window.hours)]
    return {
        "latitude": number % 90 + 0.01,
        "longitude": number % 180 - 0.02,
        "generationtime_ms": 0.05,
        "utc_offset_seconds": 0,
        "timezone": "GMT",
        "timezone_abbreviation": "GMT",
        "elevation": 168.0,
        "hourly_units": {"time": "iso8601", **UNITS},
        "hourly": {"time": [f"{hour:%Y-%m-%dT%H:%M}" for hour in hours]}
        | (columns or {name: [1.5] * window.hours for name in UNITS}),
    }


Response = dict[str, Any]

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)

JOB = Job(WINDOW, 0, 1, [location(1), location(2)])
HEALTHY = Reply(json.dumps(responses_to(WINDOW, [1, 2])).encode())
"""The successful response to the job's only call."""
