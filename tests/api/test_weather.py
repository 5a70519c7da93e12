"""/weather/summary and /weather/latest, parameter by parameter."""

from datetime import timedelta

import httpx
import pytest

from tests.api.conftest import LYONS_DAYS, NEWEST_DAY
from tests.api.weather_rows import NO_VALUES

DAYS = [(NEWEST_DAY - timedelta(days=back)).isoformat() for back in range(LYONS_DAYS)]


def dates(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [row["date"] for row in response.json()]


def test_summary_defaults_to_lyon_newest_first(
    client: httpx.Client,
) -> None:
    response = client.get("/weather/summary")
    assert dates(response) == DAYS
    assert {row["location"] for row in response.json()} == {"lyon"}
    assert response.headers["content-type"] == "application/json"


def test_rows_equal_the_mart(client: httpx.Client) -> None:
    newest, day_before, *_ = client.get("/weather/summary").json()
    assert newest == NO_VALUES | {
        "location": "lyon",
        "date": "2025-11-20",
        "temp_min_c": 1.5,
        "temp_max_c": 2.5,
        "temp_avg_c": 2.0,
        "total_precipitation_mm": None,
        "avg_windspeed_kmh": None,
        "hours": 5,
        "is_complete": False,
    }
    assert list(newest) == list(day_before)
    assert day_before == NO_VALUES | {
        "location": "lyon",
        "date": "2025-11-19",
        "temp_min_c": 1.5,
        "temp_max_c": 19.0,
        "temp_avg_c": 5.5,
        "total_precipitation_mm": 0.4,
        "avg_windspeed_kmh": 12.3,
        "hours": 24,
        "is_complete": True,
    }


def test_summary_of_another_location(client: httpx.Client) -> None:
    response = client.get("/weather/summary", params={"location": "new-york"})
    assert dates(response) == DAYS[:3]
    assert {row["location"] for row in response.json()} == {"new-york"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("start=2025-11-18", DAYS[:3]),
        ("end=2025-11-12", DAYS[8:]),
        ("start=2025-11-13&end=2025-11-15", DAYS[5:8]),
        ("start=2025-11-13&end=2025-11-13", DAYS[7:8]),
        ("start=2025-11-21", []),
        ("end=1999-12-31", []),
        ("limit=1", DAYS[:1]),
        ("limit=10", DAYS),
        ("limit=99999999999999999999", DAYS),
        ("end=2025-11-15&limit=2", DAYS[5:7]),
        ("location=lyon&start=2025-11-12&end=2025-11-19&limit=3", DAYS[1:4]),
    ],
)
def test_ranges_and_limits(client: httpx.Client, query: str, expected: list[str]) -> None:
    assert dates(client.get(f"/weather/summary?{query}")) == expected


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("start=yesterday", "start"),
        ("start=", "start"),
        ("start=0", "start"),
        ("start=20261120", "start"),
        ("start=2025-11-20T00:00:00", "start"),
        ("start=2025-11-31", "start"),
        ("end=2026-13-01", "end"),
        ("start=2025-11-20&end=2025-11-19", "end"),
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=all", "limit"),
        ("limit=", "limit"),
        (f"location={'a' * 61}", "location"),
        ("lokation=lyon", "lokation"),
    ],
)
def test_an_invalid_parameter_is_reported(client: httpx.Client, query: str, named: str) -> None:
    response = client.get(f"/weather/summary?{query}")
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == 422
    assert f"{named}: " in problem["detail"]
    (error,) = problem["errors"]
    assert error["parameter"] == named
    expected = "unknown parameter" if named == "lokation" else error["expected"]
    assert expected in problem["detail"]
    assert error["detail"]


@pytest.mark.parametrize("path", ["/weather/summary", "/weather/latest"])
@pytest.mark.parametrize("location", ["paris", "Lyon", "", "../lyon", "lyon' OR 1=1 --"])
def test_an_unknown_location_gets_the_known_ones(
    client: httpx.Client, path: str, location: str
) -> None:
    response = client.get(path, params={"location": location})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    problem = response.json()
    detail = problem.pop("detail")
    assert problem == {"type": "about:blank", "title": "Not Found", "status": 404}
    assert f"'{location}'" in detail
    assert "lyon, new-york, kolkata" in detail


@pytest.mark.parametrize("path", ["/weather/summary", "/weather/latest"])
def test_a_location_without_data_is_404(client: httpx.Client, path: str) -> None:
    response = client.get(path, params={"location": "kolkata"})
    assert response.status_code == 404
    assert "No data for 'kolkata' yet" in response.json()["detail"]
    assert "Run weather_pipeline" in response.json()["detail"]


def test_removed_locations_keep_their_days(client: httpx.Client) -> None:
    assert dates(client.get("/weather/summary?location=atlantis")) == ["2025-11-17"]


def test_latest_is_the_newest_row(client: httpx.Client) -> None:
    assert client.get("/weather/latest").json() == client.get("/weather/summary").json()[0]
    response = client.get("/weather/latest", params={"location": "new-york"})
    assert response.json()["location"] == "new-york"
    assert response.json()["date"] == DAYS[0]


def test_latest_has_no_range_parameters(client: httpx.Client) -> None:
    response = client.get("/weather/latest", params={"start": "2025-11-20"})
    assert response.status_code == 422
    assert [error["parameter"] for error in response.json()["errors"]] == ["start"]


@pytest.mark.parametrize("path", ["/weather/summary", "/weather/latest"])
def test_responses_name_the_source_and_its_licence(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["attribution"] == "Weather data by Open-Meteo.com (CC BY 4.0)"
    assert headers["x-weather-source"] == "Open-Meteo"
    assert headers["link"] == '<https://creativecommons.org/licenses/by/4.0/>; rel="license"'
