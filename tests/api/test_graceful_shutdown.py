"""Graceful shutdown: no request fails if clients leave during the drain."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.api.lake import Lake
from tests.api.server import address_of, eventually, readiness, start_api
from tests.timeouts import TIMEOUT_SECONDS

pytestmark = pytest.mark.slow

DRAIN_SECONDS = 8.0
"""Drain time on a busy machine. Usually clients need a second at most."""
LONG_DRAIN_SECONDS = 60.0
SECONDS_TO_END = 30

Process = subprocess.Popen[bytes]


@contextmanager
def started_api(lake: Lake, log: Path, drain_seconds: float) -> Iterator[tuple[str, Process]]:
    process = start_api(lake.environment, log, drain_seconds=drain_seconds)
    try:
        yield address_of(log), process
    finally:
        process.kill()
        process.wait()


def one_shot(address: str) -> httpx.Response:
    """Send a request over a new connection."""
    return httpx.get(f"{address}/weather/summary", timeout=TIMEOUT_SECONDS, trust_env=False)


def is_draining(address: str) -> bool:
    return readiness(address)["ready"] is False


def test_no_request_fails_during_the_drain(filled_lake: Lake, tmp_path: Path) -> None:
    """Clients send requests constantly, as behind a load balancer that reacts late."""
    looked_away = Event()
    responses: list[httpx.Response] = []

    def closing() -> list[httpx.Response]:
        return [response for response in responses if response.headers.get("connection") == "close"]

    with started_api(filled_lake, tmp_path / "log", DRAIN_SECONDS) as (address, process):

        def over_one_connection() -> None:
            with httpx.Client(base_url=address, timeout=TIMEOUT_SECONDS, trust_env=False) as client:
                while not looked_away.wait(0.003):
                    responses.append(client.get("/weather/summary"))

        def over_new_connections() -> None:
            while not looked_away.wait(0.003):
                responses.append(one_shot(address))

        with ThreadPoolExecutor() as pool:
            sending = [pool.submit(each) for each in (over_one_connection, over_new_connections)]
            eventually(lambda: len(responses) > 50)
            process.send_signal(signal.SIGTERM)
            eventually(lambda: is_draining(address) and len(closing()) > 20)
            looked_away.set()
            for each in sending:
                each.result()
        assert process.wait(SECONDS_TO_END) == 0
    assert {response.status_code for response in responses} == {200}
    assert len(closing()) < len(responses)


def test_responses_close_connections_during_the_drain(filled_lake: Lake, tmp_path: Path) -> None:
    with started_api(filled_lake, tmp_path / "log", LONG_DRAIN_SECONDS) as (address, process):
        with httpx.Client(base_url=address, timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            assert "connection" not in client.get("/weather/summary").headers
            process.send_signal(signal.SIGTERM)
            eventually(lambda: is_draining(address))
            for path in ("/weather/summary", "/healthz", "/no/such/path", "/weather/latest?x=y"):
                assert client.get(path).headers["connection"] == "close"
            readiness = client.get("/readyz").json()
            assert readiness["ready"] is False
            assert "another" in readiness["problem"]
            assert client.get("/healthz").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS_TO_END) == 0


def test_a_started_request_is_completed(filled_lake: Lake, tmp_path: Path) -> None:
    with started_api(filled_lake, tmp_path / "log", LONG_DRAIN_SECONDS) as (address, process):
        url = httpx.URL(address)
        assert url.port
        with socket.create_connection((url.host, url.port), TIMEOUT_SECONDS) as connection:
            connection.sendall(b"GET /weather/latest HTTP/1.1\r\nHost: api\r\n")
            process.send_signal(signal.SIGTERM)
            eventually(lambda: is_draining(address))
            connection.sendall(b"\r\n")
            response = b"".join(iter(lambda: connection.recv(65536), b""))
        assert response.startswith(b"HTTP/1.1 200 ")
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS_TO_END) == 0


@pytest.mark.parametrize("drain_seconds", [0.0, LONG_DRAIN_SECONDS])
def test_sigint_stops_without_a_drain(
    filled_lake: Lake, tmp_path: Path, drain_seconds: float
) -> None:
    log = tmp_path / "log"
    with started_api(filled_lake, log, drain_seconds) as (address, process):
        assert one_shot(address).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS_TO_END) == 0
    assert "Traceback" not in log.read_text()


def test_a_second_signal_ends_the_drain(filled_lake: Lake, tmp_path: Path) -> None:
    with started_api(filled_lake, tmp_path / "log", LONG_DRAIN_SECONDS) as (address, process):
        process.send_signal(signal.SIGTERM)
        eventually(lambda: is_draining(address))
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS_TO_END) == 0
