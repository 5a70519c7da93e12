"""The front page and the documentation."""

import re
from html import unescape

import httpx
import pytest

from tests.api.conftest import Serve
from tests.api.lake import Lake

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
LOADED = re.compile(r'<(?:script|img|iframe|link)\b[^>]*?\b(?:src|href)="([^"]*)"')


def cells(page: str) -> list[list[str]]:
    """The rows of a page's only table."""
    return [
        [unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", page)
    ]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html", ""])
def test_programs_find_a_message_and_the_documentation(client: httpx.Client, accept: str) -> None:
    answer = client.get("/", headers={"Accept": accept})
    assert answer.headers["vary"] == "Accept"
    content = answer.json()
    assert content.keys() == {"message", "docs", "attribution", "license"}
    assert "/weather/summary" in content["message"]
    assert client.get(content["docs"]).status_code == 200
    assert content["attribution"] == "Weather data by Open-Meteo.com (CC BY 4.0)"


def test_people_find_the_default_locations_days(client: httpx.Client) -> None:
    answer = client.get("/", headers=BROWSER)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["vary"] == "Accept"
    head, newest, *others = cells(answer.text)
    assert head == ["Day", "Lowest °C", "Highest °C", "Mean °C", "Rain mm", "Wind km/h", "Hours"]
    assert newest == ["2025-11-20 (incomplete)", "1.5", "2.5", "2.0", "–", "–", "5"]  # noqa: RUF001
    assert [row[0] for row in others] == [f"2025-11-{day}" for day in range(19, 10, -1)]
    assert "Lyon &lt;sur Rhône&gt;" in answer.text
    assert "<sur" not in answer.text
    assert "Open-Meteo.com" in answer.text


def test_the_page_says_when_there_is_no_data_yet(lake: Lake, serve: Serve) -> None:
    with serve(lake) as client:
        answer = client.get("/", headers=BROWSER)
        assert answer.status_code == 200
        assert "no data for Lyon &lt;sur Rhône&gt; yet. Nothing is published yet." in answer.text


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_load_nothing_from_elsewhere(client: httpx.Client, path: str) -> None:
    page = client.get(path, headers=BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for address in LOADED.findall(page.text):
        if address == "data:,":
            continue
        assert "//" not in address
        assert client.get(f"/{address}").status_code == 200


def test_the_documentation_has_its_three_files_and_no_others(client: httpx.Client) -> None:
    types = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "javascript"}
    types["start-swagger-ui.js"] = "javascript"
    for name, media_type in types.items():
        asset = client.get(f"/docs/{name}")
        assert asset.status_code == 200
        assert media_type in asset.headers["content-type"]
        assert f"/docs/{name}".removeprefix("/") in client.get("/docs").text
    for name in ("__init__.py", "..%2fapp.py", "docs.html"):
        assert client.get(f"/docs/{name}").status_code in {404, 422}


def test_the_description_is_whole(client: httpx.Client) -> None:
    description = client.get("/openapi.json").json()
    assert "Open-Meteo.com (CC BY 4.0)" in description["info"]["description"]
    assert description["info"]["license"]["url"].startswith("https://creativecommons.org/")
    assert description["paths"].keys() == {
        *("/", "/weather/summary", "/weather/latest"),
        *("/healthz", "/readyz", "/metrics"),
    }
    for path in description["paths"].values():
        assert path.keys() == {"get"}
        assert path["get"]["description"]
        assert all(parameter["description"] for parameter in path["get"].get("parameters", []))
    summary = description["paths"]["/weather/summary"]["get"]
    assert {"200", "404", "422", "503"} == summary["responses"].keys()
    assert [parameter["name"] for parameter in summary["parameters"]] == [
        *("location", "start", "end", "limit")
    ]
