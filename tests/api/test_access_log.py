"""The access log: a line of JSON for each request, in bounded memory."""

import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from threading import Event

import httpx
import pytest

from api.observability.logs import MAX_URL_BYTES, MAX_WAITING, AccessLog
from tests.api.lake import Lake
from tests.api.server import eventually, running_api

pytestmark = pytest.mark.slow

MOMENT = 1_763_600_000.25


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logged") / "log"


@pytest.fixture(scope="module")
def logged(filled_lake: Lake, log: Path) -> Iterator[httpx.Client]:
    """Client of an API whose log the tests read."""
    with running_api(filled_lake.environment, log) as client:
        yield client


def line_of(request_id: str, log: Path) -> dict[str, object]:
    """Return the only line with the request id."""
    eventually(lambda: request_id in log.read_text())
    (line,) = (each for each in log.read_text().splitlines() if request_id in each)
    return dict(json.loads(line))


def test_a_request_is_logged_with_its_id(logged: httpx.Client, log: Path) -> None:
    response = logged.get("/weather/summary?limit=2", headers={"X-Request-ID": "mine-1"})
    assert response.headers["x-request-id"] == "mine-1"
    line = line_of("mine-1", log)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(line.pop("time")))
    assert 0 < float(str(line.pop("milliseconds"))) < 10_000
    assert line == {
        "level": "info",
        "logger": "api.access",
        "request_id": "mine-1",
        "method": "GET",
        "path": "/weather/summary",
        "query": "limit=2",
        "client": "127.0.0.1",
        "status": 200,
        "bytes": len(response.content),
        "answer": "made",
    }


def test_a_request_without_a_valid_id_gets_a_generated_one(logged: httpx.Client, log: Path) -> None:
    for given in ({}, {"X-Request-ID": 'a"b'}, {"X-Request-ID": "a" * 129}):
        request_id = logged.get("/healthz", headers=given).headers["x-request-id"]
        assert re.fullmatch(r"[0-9a-f]{12}-\d+", request_id)
        assert line_of(request_id, log)["path"] == "/healthz"


def test_any_path_is_valid_json_and_long_paths_are_cut(logged: httpx.Client, log: Path) -> None:
    long = "x" * (MAX_URL_BYTES + 100)
    logged.get(f'/a%22%0a%ff?q="&long={long}', headers={"X-Request-ID": "strange"})
    line = line_of("strange", log)
    assert str(line["path"]).startswith("/a")
    assert len(str(line["query"])) == MAX_URL_BYTES


class Stuck(StringIO):
    """A file-like object whose reader has stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.was_written = Event()
        self.reads = Event()

    def write(self, text: str) -> int:
        self.was_written.set()
        self.reads.wait()
        return super().write(text)


def test_a_slow_reader_loses_the_oldest_lines() -> None:
    file = Stuck()
    log = AccessLog(file)
    described = ("GET", b"/", b"", "127.0.0.1", 200, 0)
    for number in range(MAX_WAITING + 51):
        log.add((MOMENT, 0.0015, "ready", b"id-%d" % number, described))
        # Writing the first line blocks: all others wait.
        assert number or file.was_written.wait(timeout=60)
    file.reads.set()
    log.close()
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert lines[0]["time"] == "2025-11-20T00:53:20.250Z"
    ids = [line["request_id"] for line in lines]
    assert ids == ["id-0", *(f"id-{number}" for number in range(51, MAX_WAITING + 51))]
