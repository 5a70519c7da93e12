"""/healthz, /readyz, /metrics and the security headers."""

import re
from datetime import UTC, datetime, time
from time import time as clock

import httpx
import pytest

from tests.api.conftest import NEWEST_DAY
from tests.api.lake import Lake
from weather.published import read_published

PATHS = ["/", "/weather/summary", "/weather/latest", "/docs", "/openapi.json", "/healthz"]
PATHS += ["/readyz", "/metrics"]


def samples(client: httpx.Client) -> dict[str, float]:
    """Return the value of each metric with its labels."""
    lines = client.get("/metrics").text.splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_health_and_readiness(client: httpx.Client, filled_lake: Lake) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    published = read_published(filled_lake.store)
    assert published is not None
    readiness = client.get("/readyz")
    assert readiness.status_code == 200
    response = readiness.json()
    assert response.pop("checked_at").endswith("Z")
    assert response == {
        "ready": True,
        "problem": None,
        "snapshot_id": published.snapshot_id,
        "published_at": published.model_dump(mode="json")["published_at"],
    }


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/healthz?x=y"])
def test_health_and_metrics_are_not_cached(client: httpx.Client, path: str) -> None:
    for method in ("GET", "HEAD"):
        assert client.request(method, path).headers["cache-control"] == "no-store"


def test_metrics_have_the_snapshot_and_its_age(client: httpx.Client, filled_lake: Lake) -> None:
    published = read_published(filled_lake.store)
    assert published is not None
    now = samples(client)
    assert now["weather_snapshot_id"] == published.snapshot_id
    assert now["weather_reloads_total"] == 1
    assert now["weather_reload_failures_total"] == 0
    assert now["weather_last_check_timestamp_seconds"] > published.published_at.timestamp()
    # The age has grown since the lake was published.
    lyons = 90 * 60 + clock() - published.published_at.timestamp()
    assert now['weather_data_age_seconds{location="lyon"}'] == pytest.approx(lyons, abs=120)
    midnight = datetime.combine(NEWEST_DAY, time(), UTC).timestamp()
    age = now['weather_data_age_seconds{location="new-york"}']
    assert age == pytest.approx(clock() - midnight, abs=60)
    assert 'weather_data_age_seconds{location="kolkata"}' not in now


def test_requests_are_counted_by_route_method_and_status(client: httpx.Client) -> None:
    requests = {
        'method="GET",route="/weather/latest",status="200"': ("GET", "/weather/latest"),
        'method="GET",route="/weather/latest",status="404"': ("GET", "/weather/latest?location=x"),
        'method="GET",route="/weather/latest",status="422"': ("GET", "/weather/latest?x=y"),
        'method="GET",route="other",status="404"': ("GET", "/no/such/path"),
        'method="other",route="other",status="404"': ("PROPFIND", "/no/such/path"),
    }
    before = samples(client)
    for method, path in requests.values():
        client.request(method, path)
    after = samples(client)
    for labels in requests:
        name = f"http_requests_total{{{labels}}}"
        assert after[name] == before.get(name, 0) + 1
    durations = 'http_request_duration_seconds_count{method="GET",route="/weather/latest"}'
    assert after[durations] == before.get(durations, 0) + 3


def test_metrics_parse_as_prometheus_format(client: httpx.Client) -> None:
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    sample = re.compile(r'[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [0-9.e+-]+(Inf)?')
    lines = response.text.splitlines()
    assert all(line.startswith("# ") or sample.fullmatch(line) for line in lines)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_methods_that_write_are_rejected(client: httpx.Client, method: str, path: str) -> None:
    assert client.request(method, path).status_code == 405


@pytest.mark.parametrize("path", [*PATHS, "/no/such/path", "/weather/latest?x=y"])
def test_every_response_has_the_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'self'" in headers["content-security-policy"]
