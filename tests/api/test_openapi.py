"""The API follows its OpenAPI document; schemathesis generates requests."""

import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.http.cache import SECURITY_HEADERS
from local.environment import PROJECT
from local.processes import program
from tests.timeouts import TIMEOUT_SECONDS

pytestmark = pytest.mark.slow

CASES = 40
"""Number of generated requests for each path, beside examples and boundary values."""

SECONDS = 800
"""Time limit. The test takes about thirty seconds on an idle machine."""

HOOKS = {"SCHEMATHESIS_HOOKS": "tests.api.valid_ranges", "PYTHONPATH": str(PROJECT)}


def test_schemathesis_finds_no_failures(client: httpx.Client, tmp_path: Path) -> None:
    address = f"{str(client.base_url).rstrip('/')}/openapi.json"
    options = [f"--max-examples={CASES}", "--seed=1", "--no-shrink", "--no-color"]
    # Durations mean nothing on a busy machine.
    options += [f"--request-timeout={TIMEOUT_SECONDS}", "--suppress-health-check=too_slow"]
    ended = subprocess.run(
        [program("schemathesis"), "run", address, *options],
        cwd=tmp_path,
        env={**os.environ, **HOOKS},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    operations = len(client.get("/openapi.json").json()["paths"])
    assert f"Tested: {operations}" in ended.stdout


def keywords(part: Any) -> set[str]:
    """Yield all keys of a nested document."""
    if isinstance(part, list):
        return set[str]().union(*map(keywords, part))
    if isinstance(part, dict):
        return set(part).union(*map(keywords, part.values()))
    return set()


def test_the_document_passes_linters(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    operations = [each["get"] for each in document["paths"].values()]
    tags = {tag for each in operations for tag in each["tags"]}
    assert {each["name"] for each in document["tags"] if each["description"]} == tags
    assert document["security"] == []
    assert all("4XX" in each["responses"] for each in operations)
    columns = keywords(document["components"]["schemas"])
    assert "x-unit" in columns
    assert "unit" not in columns


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/healthz"), ("DELETE", "/"), ("PUT", "/metrics")]
)
def test_rejections_are_as_documented(client: httpx.Client, method: str, path: str) -> None:
    described = client.get("/openapi.json").json()["paths"][path]["get"]["responses"]["4XX"]
    assert client.request(method, path).headers["content-type"] in described["content"]


@pytest.mark.parametrize("path", ["/weather/summary", "/weather/monthly", "/weather/yearly"])
def test_the_documented_link_leads_to_the_next_page(client: httpx.Client, path: str) -> None:
    document = client.get("/openapi.json").json()
    link = document["paths"][path]["get"]["responses"]["200"]["links"]["next"]
    assert link["operationId"] == document["paths"][path]["get"]["operationId"]
    ((parameter, source),) = link["parameters"].items()
    header = source.removeprefix("$response.header.")
    query = {"location": "all", "limit": "1"}
    whole = client.get(path, params={"location": "all"}).json()
    first = client.get(path, params=query)
    second = client.get(path, params={**query, parameter: first.headers[header]})
    assert [*first.json(), *second.json()] == whole[:2]
    assert header not in client.get(path, params={"location": "all"}).headers


@pytest.mark.parametrize("path", ["/weather/summary", "/weather/hourly"])
def test_a_limit_over_the_maximum_is_as_documented(client: httpx.Client, path: str) -> None:
    parameters = client.get("/openapi.json").json()["paths"][path]["get"]["parameters"]
    (limit,) = [each for each in parameters if each["name"] == "limit"]
    assert "larger limit means 10,000" in limit["description"]
    assert "maximum" not in limit["schema"]
    assert client.get(f"{path}?limit=10001").content == client.get(path).content


OF_ANY_RESPONSE = {
    *(name.decode() for name, _ in SECURITY_HEADERS),
    *("cache-control", "content-encoding", "content-length", "content-type", "date", "vary"),
}
"""Headers that the document does not describe."""


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        ("/", {200, 206, 304, 412, 416}),
        ("/weather/summary", {200, 206, 304, 404, 412, 416, 422, 503}),
        ("/weather/latest", {200, 206, 304, 404, 412, 416, 422, 503}),
        ("/weather/hourly", {200, 206, 304, 404, 412, 416, 422, 503}),
        ("/locations", {200, 206, 304, 412, 416, 422}),
        ("/healthz", {200}),
        ("/readyz", {200, 503}),
        ("/metrics", {200}),
    ],
)
def test_responses_are_as_documented(client: httpx.Client, path: str, statuses: set[int]) -> None:
    described = client.get("/openapi.json").json()["paths"][path]["get"]["responses"]
    assert {int(status) for status in described if status != "4XX"} == statuses
    known = {"If-None-Match": "*"}
    queries = ("limit=2", "format=csv", "location=nowhere", "x=y", "location=kolkata")
    responses = [
        client.get(path),
        client.get(path, headers=known),
        client.get(path, headers={"Range": "bytes=0-1"}),
        client.get(path, headers={"Range": "bytes=9999999-"}),
        client.get(path, headers={"If-Match": '"other"'}),
        *(client.get(f"{path}?{query}") for query in queries),
    ]
    for response in responses:
        documented = described[str(response.status_code)]
        headers = {name.lower() for name in documented["headers"]}
        assert set(response.headers) <= headers | OF_ANY_RESPONSE
        if response.content:
            media_type = response.headers["content-type"].partition(";")[0]
            assert media_type in documented["content"]
    assert all("X-Request-ID" in response["headers"] for response in described.values())
    if path.startswith("/weather"):
        assert "Retry-After" in described["503"]["headers"]
