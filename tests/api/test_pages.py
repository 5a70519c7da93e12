"""The front page and the documentation."""

import re

import httpx
import pytest
from pydantic import BaseModel

from api.data.row_models import (
    DailyWeather,
    HourlyWeather,
    KnownLocation,
    MonthlyWeather,
    YearlyWeather,
)

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
LOADED = re.compile(r'<(?:script|img|iframe|link)\b[^>]*?\b(?:src|href)="([^"]*)"')


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html", ""])
def test_the_root_is_json_by_default(client: httpx.Client, accept: str) -> None:
    response = client.get("/", headers={"Accept": accept})
    assert "accept" in response.headers["vary"]
    content = response.json()
    assert content.keys() == {"message", "docs", "attribution", "license"}
    assert "/weather/summary" in content["message"]
    assert client.get(content["docs"]).status_code == 200
    assert content["attribution"] == "Weather data by Open-Meteo.com (CC BY 4.0)"


@pytest.mark.parametrize("accept", [BROWSER["Accept"], "text/html", "application/xml, text/html"])
def test_the_root_is_a_page_for_browsers(client: httpx.Client, accept: str) -> None:
    response = client.get("/", headers={"Accept": accept})
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "accept" in response.headers["vary"]
    assert "Open-Meteo.com" in response.text
    assert 'data-fresh-hours="2"' in response.text
    assert "{{" not in response.text


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_load_no_external_resources(client: httpx.Client, path: str) -> None:
    page = client.get(path, headers=BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for address in LOADED.findall(page.text):
        if address == "data:,":
            continue
        assert "//" not in address
        assert client.get(f"/{address}").status_code == 200


def test_docs_serves_only_its_three_files(client: httpx.Client) -> None:
    types = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "javascript"}
    types["start-swagger-ui.js"] = "javascript"
    for name, media_type in types.items():
        asset = client.get(f"/docs/{name}")
        assert asset.status_code == 200
        assert media_type in asset.headers["content-type"]
        assert f"/docs/{name}".removeprefix("/") in client.get("/docs").text
    for name in ("__init__.py", "..%2fapp.py", "docs.html"):
        assert client.get(f"/docs/{name}").status_code == 404


def test_the_openapi_document_is_complete(client: httpx.Client) -> None:
    description = client.get("/openapi.json").json()
    assert "Open-Meteo.com (CC BY 4.0)" in description["info"]["description"]
    assert description["info"]["license"]["url"].startswith("https://creativecommons.org/")
    assert description["paths"].keys() == {
        *("/", "/locations", "/weather/summary", "/weather/latest"),
        *("/weather/hourly", "/weather/monthly", "/weather/yearly"),
        *("/healthz", "/readyz", "/metrics"),
    }
    for path in description["paths"].values():
        assert path.keys() == {"get"}
        assert path["get"]["description"]
        assert all(parameter["description"] for parameter in path["get"].get("parameters", []))
    assert {path["get"]["operationId"] for path in description["paths"].values()} == {
        *("front_page", "locations", "summary", "latest", "hourly", "monthly", "yearly"),
        *("healthz", "readyz", "metrics"),
    }
    summary = description["paths"]["/weather/summary"]["get"]
    assert {"200", "206", "304", "404", "412", "416", "422", "4XX", "503"} == summary[
        "responses"
    ].keys()
    assert {parameter["name"] for parameter in summary["parameters"]} == {
        *("location", "start", "end", "limit", "cursor", "fields", "format")
    }
    for media_type in ("application/json", "text/csv"):
        assert summary["responses"]["200"]["content"][media_type]["example"]


def test_examples_are_valid_rows(client: httpx.Client) -> None:
    """Each route's example validates, and each field has a description."""
    paths = client.get("/openapi.json").json()["paths"]
    models: dict[str, type[BaseModel]] = {
        "/weather/summary": DailyWeather,
        "/weather/monthly": MonthlyWeather,
        "/weather/yearly": YearlyWeather,
        "/weather/hourly": HourlyWeather,
        "/locations": KnownLocation,
    }
    for path, model in models.items():
        content = paths[path]["get"]["responses"]["200"]["content"]["application/json"]
        (example,) = content["example"]
        assert model.model_validate(example, strict=False).model_dump(mode="json") == example
