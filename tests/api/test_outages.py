"""Responses while the store or the catalog is down."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from local.processes import free_port
from local.store import running_store
from tests.api.conftest import MONDAY, TUESDAY, MakeLake, Serve
from tests.api.constant_load import constant_load, days
from tests.api.lake import Lake, a_day
from tests.api.server import eventually
from tests.weather.ingest.scripted_server import unused_url
from weather.published import PUBLISHED_KEY

pytestmark = pytest.mark.slow


@contextmanager
def locked(lake: Lake) -> Iterator[None]:
    """Lock the catalog, as a writing process does."""
    catalog = sqlite3.connect(
        lake.settings.lake_catalog.removeprefix("sqlite:"), isolation_level=None
    )
    try:
        catalog.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        catalog.close()


def problem(client: httpx.Client) -> str:
    """Return the problem in the body of `/readyz`, or an empty string."""
    return client.get("/readyz").json()["problem"] or ""


def marks(responses: list[httpx.Response]) -> set[str | None]:
    """Return the values of X-Weather-Stale."""
    return {response.headers.get("x-weather-stale") for response in responses}


def failures(client: httpx.Client) -> float:
    """Return the number of failed checks for new snapshots."""
    (line,) = (
        line
        for line in client.get("/metrics").text.splitlines()
        if line.startswith("weather_reload_failures_total ")
    )
    return float(line.split()[1])


def test_a_locked_catalog_fails_no_request(lake: Lake, serve: Serve) -> None:
    first = lake.publish()
    lake.write(a_day("lyon", TUESDAY))
    second = lake.publish()
    lake.write_published_json(first)
    with serve(lake) as client, constant_load(client) as responses:
        with locked(lake):
            lake.write_published_json(second)
            eventually(lambda: problem(client))
            readiness = client.get("/readyz")
            assert readiness.status_code == 200
            assert readiness.json()["problem"].startswith("The published snapshot cannot be read")
            assert readiness.json()["snapshot_id"] == first.snapshot_id
            assert days(client) == ["2025-11-17"]
        eventually(lambda: len(days(client)) == 2)
        assert problem(client) == ""
    assert {response.status_code for response in responses} == {200}
    assert marks(responses) == {None, "lake"}


def test_the_last_snapshot_is_served_without_the_store(
    make_lake: MakeLake, tmp_path: Path, serve: Serve
) -> None:
    folder, port = tmp_path / "s3", free_port()
    with ExitStack() as store:
        server = store.enter_context(running_store(folder, port=port))
        lake = make_lake(server, [a_day("lyon", MONDAY)])
        lake.publish()
        with serve(lake) as client, constant_load(client) as responses:
            store.close()
            eventually(lambda: problem(client))
            readiness = client.get("/readyz")
            assert readiness.status_code == 200
            assert readiness.json()["ready"] is True
            assert "S3 store" in problem(client)
            assert days(client) == ["2025-11-17"]
            assert failures(client) >= 1
            store.enter_context(running_store(folder, port=port, keys=server.keys))
            eventually(lambda: not problem(client))
            lake.write(a_day("lyon", TUESDAY))
            lake.publish()
            eventually(lambda: len(days(client)) == 2)
    assert {response.status_code for response in responses} == {200}
    assert marks(responses) == {None, "store"}
    log = (tmp_path / "api.log").read_text()
    assert log.count("S3 store cannot be read") == 1
    assert "Traceback" not in log


def test_a_hanging_store_is_reported_within_a_minute(
    make_lake: MakeLake, tmp_path: Path, serve: Serve
) -> None:
    with running_store(tmp_path / "s3") as server:
        lake = make_lake(server, [a_day("lyon", MONDAY)])
        lake.publish()
        with serve(lake) as client:
            # The kernel accepts connections, and the stopped server does not respond.
            (process,) = psutil.Process(server.supervisor).children()
            process.suspend()
            try:
                eventually(lambda: problem(client), seconds=55)
                assert "S3 store" in problem(client)
                assert days(client) == ["2025-11-17"]
            finally:
                process.resume()
            eventually(lambda: not problem(client))


def test_the_api_starts_without_a_store(lake: Lake, serve: Serve) -> None:
    with ExitStack() as running:
        lake.environment["AWS_ENDPOINT_URL"] = running.enter_context(unused_url())
        client = running.enter_context(serve(lake))
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        for path in ("/weather/summary", "/weather/latest"):
            response = client.get(path)
            assert response.status_code == 503
            assert "S3 store" in response.json()["detail"]
            assert int(response.headers["retry-after"]) > 0
        assert client.get("/weather/summary?location=nowhere").status_code == 404
        assert client.get("/", headers={"Accept": "text/html"}).status_code == 200


def test_the_last_snapshot_is_served_if_an_object_is_damaged(lake: Lake, serve: Serve) -> None:
    lake.publish()
    with serve(lake) as client:
        lake.store.put(PUBLISHED_KEY, b"<html>")
        eventually(lambda: problem(client))
        assert days(client) == ["2025-11-17"]


def test_the_last_snapshot_is_served_if_the_bucket_is_emptied(lake: Lake, serve: Serve) -> None:
    lake.publish()
    with serve(lake) as client:
        lake.store.delete(list(lake.store.list()))
        eventually(lambda: problem(client) == "Nothing is published yet.")
        assert days(client) == ["2025-11-17"]


def test_the_last_snapshot_is_served_if_the_new_one_is_missing(lake: Lake, serve: Serve) -> None:
    published = lake.publish()
    with serve(lake) as client:
        lake.write_published_json(published.model_copy(update={"snapshot_id": 999}))
        eventually(lambda: "from the lake" in problem(client))
        assert days(client) == ["2025-11-17"]


def test_no_response_has_a_password(lake: Lake, serve: Serve) -> None:
    lake.publish()
    lake.environment["PGPASSWORD"] = "Rhubarb9"
    with ExitStack() as running:
        listener = httpx.URL(running.enter_context(unused_url()))
        address = f"host=127.0.0.1 port={listener.port} user=lake dbname=lake"
        lake.environment["LAKE_CATALOG"] = f"postgres:{address}"
        client = running.enter_context(serve(lake))
        eventually(lambda: "from the lake" in problem(client))
        assert client.get("/weather/summary").status_code == 503
        pages = [client.get(path) for path in ("/readyz", "/weather/summary", "/metrics", "/")]
    assert not any("Rhubarb9" in page.text or "127.0.0.1" in page.text for page in pages)


def test_another_lakes_snapshot_with_the_same_id_is_not_read(lake: Lake, serve: Serve) -> None:
    published = lake.publish()
    with serve(lake) as client:
        lake.write(a_day("lyon", TUESDAY))
        lake.write_published_json(lake.publish().model_copy(update={"lake": "another"}))
        eventually(lambda: "from the lake" in problem(client))
        assert days(client) == ["2025-11-17"]
        assert client.get("/readyz").json()["snapshot_id"] == published.snapshot_id
