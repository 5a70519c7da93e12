"""The diff of docs/add-a-source.md adds a personal weather station beside Open-Meteo."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.server import running_api
from tests.docs.changed_project import ChangedProject, require_small_diff
from tests.pipeline import Pipeline
from tests.weather.ingest.scripted_server import Form, Reply, scripted_server, unused_url
from weather.errors import ExitCode
from weather.variables import VARIABLES
from weather.window import HOUR, Window

GUIDE = "docs/add-a-source.md"

START = datetime(2026, 3, 1, tzinfo=UTC)
OLD = Window(START, START + 3 * HOUR)
"""Window of a run without the station."""
NEW = Window(START + 2 * HOUR, START + 8 * HOUR)

OPEN_METEO = "Weather data by Open-Meteo.com (CC BY 4.0)"
STATION = "Weather data by the garden stations (CC0)"

OBSERVATIONS: list[dict[str, Any]] = [
    {"time": "2026-03-01T01:00:00Z", "temp_c": -40.0, "rain_mm": 9.9, "wind_ms": 9.9},
    {"time": "2026-03-01T02:00:00Z", "temp_c": 4.5, "rain_mm": 0.0, "wind_ms": 2.5},
    {"time": "2026-03-01T03:00:00Z", "temp_c": 4.1, "rain_mm": 0.6, "wind_ms": None},
    {"time": "2026-03-01T05:00:00Z", "temp_c": None, "rain_mm": 1.2, "wind_ms": 0.0},
    {"time": "2026-03-01T06:00:00Z", "temp_c": -1.2},
    {"time": "2026-03-01T06:10:00Z", "temp_c": 30.0, "rain_mm": 9.9, "wind_ms": 9.9},
    {"time": "2026-03-01T07:00:00+00:00", "temp_c": 2.6, "rain_mm": 0.3, "wind_ms": 5.0},
]
STATION_RESPONSE = {"station": "garden", "observations": OBSERVATIONS, "firmware": "1.4"}

GARDEN_HOURS = [
    ("02", 4.5, 0.0, 9.0),
    ("03", 4.1, 0.6, None),
    ("04", None, None, None),
    ("05", None, 1.2, 0.0),
    ("06", -1.2, None, None),
    ("07", 2.6, 0.3, 18.0),
]
"""Expected hours of the station: hour, °C, mm and km/h, computed by hand."""

GARDEN_DAY = {
    "date": "2026-03-01",
    "temp_min_c": -1.2,
    "temp_max_c": 4.5,
    "temp_avg_c": 2.5,
    "total_precipitation_mm": 2.1,
    "avg_windspeed_kmh": 9.0,
    "hours": 4,
}
"""Expected day of the station: means of 4.5, 4.1, -1.2, 2.6 and of 9, 0, 18, and the rain's sum."""

COLUMNS = "temperature_c, precipitation_mm, windspeed_kmh"


def test_the_diff_is_small() -> None:
    require_small_diff(GUIDE)


def test_the_guides_example_has_the_fields_of_the_test() -> None:
    page = Path(GUIDE).read_text(encoding="utf-8")
    for field in ("station", "observations", *OBSERVATIONS[0]):
        assert f'"{field}": ' in page


def open_meteo(form: Form) -> Reply:
    """Respond in Open-Meteo's format. An hour's temperature is the number of hours since START."""
    start = datetime.fromisoformat(form["start_hour"]).replace(tzinfo=UTC)
    end = datetime.fromisoformat(form["end_hour"]).replace(tzinfo=UTC)
    hours = [start + number * HOUR for number in range((end - start) // HOUR + 1)]
    values = {each.source_name: [each.example for _ in hours] for each in VARIABLES} | {
        "temperature_2m": [(hour - START) // HOUR for hour in hours],
        "precipitation": [0.0 for _ in hours],
        "wind_speed_10m": [7.5 for _ in hours],
    }
    places = zip(form["latitude"].split(","), form["longitude"].split(","), strict=True)
    responses = [
        {
            "latitude": float(latitude),
            "longitude": float(longitude),
            "location_id": position,
            "utc_offset_seconds": 0,
            "hourly_units": {
                "time": "iso8601",
                **{each.source_name: each.unit for each in VARIABLES},
            },
            "hourly": {"time": [f"{hour:%Y-%m-%dT%H:%M}" for hour in hours], **values},
        }
        for position, (latitude, longitude) in enumerate(places)
    ]
    return Reply(json.dumps(responses).encode())


@pytest.fixture
def changed_project(tmp_path: Path) -> ChangedProject:
    """A copy of the project with the diff."""
    return ChangedProject(tmp_path / "project", GUIDE)


@pytest.fixture
def sources(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server in place of Open-Meteo. The station is unreachable."""
    with scripted_server(open_meteo) as server, unused_url() as nowhere:
        for name, url in (
            ("OPEN_METEO_URL", server.url),
            ("OPEN_METEO_ARCHIVE_URL", server.url),
            ("STATION_URL", nowhere),
        ):
            monkeypatch.setenv(name, url)
        yield


def hours_of(pipeline: Pipeline, location: str) -> list[tuple[Any, ...]]:
    return pipeline.rows(
        f"select strftime(hour_timestamp, '%H'), {COLUMNS} from stg_weather"
        f" where location_id = '{location}' order by hour_timestamp"
    )


def lyon_hours(first: int) -> list[tuple[str, float, float, float]]:
    return [(f"{hour:02d}", float(hour), 0.0, 7.5) for hour in range(first, 8)]


def attributions(api: httpx.Client) -> dict[str, tuple[str, str]]:
    found = {}
    for location in ("lyon", "garden", "all"):
        headers = api.get("/weather/summary", params={"location": location}).headers
        found[location] = headers["attribution"], headers["x-weather-source"]
    return found


def test_the_diff_adds_a_station_beside_open_meteo(
    pipeline: Pipeline,
    changed_project: ChangedProject,
    sources: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    # The station is not reachable: the other locations' hours are stored.
    pipeline.take(OLD)
    ingest = changed_project.ingest()
    assert ingest.returncode == ExitCode.REJECTED
    message = ingest.stderr.splitlines()[-1]
    assert f"(garden, {os.environ['STATION_URL']}) failed after 5 attempts" in message
    assert "connection error" in message
    assert "The 3 accepted responses are stored." in message

    pipeline.take(NEW)
    with scripted_server([Reply(json.dumps(STATION_RESPONSE).encode())]) as station:
        monkeypatch.setenv("STATION_URL", station.url)
        ingest = changed_project.ingest()
    assert ingest.returncode == 0, ingest.stderr
    assert station.paths == ["GET /stations/garden?from=2026-03-01T02%3A00Z&to=2026-03-01T07%3A00Z"]
    changed_project.transform_and_publish()
    assert hours_of(pipeline, "garden") == GARDEN_HOURS
    assert hours_of(pipeline, "lyon") == lyon_hours(first=2)

    environment = {**os.environ, "PYTHONPATH": str(changed_project.folder)}
    with running_api(environment, tmp_path / "api.log", folder=changed_project.folder) as api:
        (day,) = api.get("/weather/summary", params={"location": "garden"}).json()
        assert GARDEN_DAY.items() <= day.items()
        rows = api.get("/weather/hourly", params={"location": "garden"}).json()
        columns = COLUMNS.split(", ")
        assert [tuple(row[column] for column in columns) for row in reversed(rows)] == [
            row[1:] for row in GARDEN_HOURS
        ]
        assert attributions(api) == {
            "lyon": (OPEN_METEO, "Open-Meteo"),
            "garden": (STATION, "Garden stations"),
            "all": (f"{OPEN_METEO}; {STATION}", "Open-Meteo, Garden stations"),
        }
        assert STATION in api.get("/", headers={"Accept": "text/html"}).text

    # The rebuild also reads the run without the station.
    changed_project.rebuild()
    assert hours_of(pipeline, "garden") == GARDEN_HOURS
    assert hours_of(pipeline, "lyon") == lyon_hours(first=0)
