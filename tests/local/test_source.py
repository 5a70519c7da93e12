"""Choose between Open-Meteo, a configured source and a replay."""

import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from local import source
from local.environment import StateDirectory, base_environment, make_credentials
from local.source import is_open_meteo, running_source
from tests.local.observed_processes import running_with
from weather.errors import ExitCode, StepError

NOWHERE = "http://127.0.0.1:1"


class ProxysPage(BaseHTTPRequestHandler):
    """Return a log-in page for every request, as some proxies do."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>please log in</html>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), ProxysPage) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def unresponsive() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def long_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise the response time limit, for a busy machine."""
    monkeypatch.setattr(source, "RESPONSE_SECONDS", 60)


def test_a_server_that_returns_weather_is_open_meteo(replay: str, long_timeout: None) -> None:
    assert is_open_meteo(replay)


def test_a_proxys_page_is_not_open_meteo(proxy: str) -> None:
    assert not is_open_meteo(proxy)


def test_a_closed_port_is_not_open_meteo() -> None:
    assert not is_open_meteo(NOWHERE)


def test_an_unresponsive_server_times_out(
    unresponsive: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "RESPONSE_SECONDS", 0.2)
    assert not is_open_meteo(unresponsive)


def test_a_configured_source_is_used_without_a_request(tmp_path: Path) -> None:
    with running_source({"OPEN_METEO_URL": NOWHERE}, tmp_path / "log") as chosen:
        assert chosen.environment == {}
        assert NOWHERE in chosen.message
        assert chosen.replay is None


def test_open_meteo_is_used_and_attributed_if_reachable(
    replay: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long_timeout: None
) -> None:
    monkeypatch.setattr(source, "OPEN_METEO", replay)
    with running_source({}, tmp_path / "log") as chosen:
        assert chosen.environment == {}
        assert chosen.attribution == "Weather data by Open-Meteo.com (CC BY 4.0)"


def test_a_replay_is_not_labelled_as_current_weather(
    state: StateDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "OPEN_METEO", NOWHERE)
    environment = base_environment(os.environ, make_credentials(), state)
    environment.pop("OPEN_METEO_URL", None)
    with running_source(environment, tmp_path / "log") as chosen:
        address = chosen.environment["OPEN_METEO_URL"]
        assert chosen.environment["OPEN_METEO_ARCHIVE_URL"] == address
        assert httpx.get(f"{address}/healthz", timeout=60).is_success
        assert f"{NOWHERE} cannot be reached" in chosen.message
        assert "not today's weather" in chosen.attribution
        assert chosen.replay
    port = address.removeprefix("http://127.0.0.1:")
    # A number alone may stand in the command lines of others.
    assert not running_with(f"replay --port {port}")


@pytest.mark.parametrize(
    "named",
    [
        {"AWS_ENDPOINT_URL": "https://s3.example.org"},
        {"LAKE_CATALOG": "postgres:host=example.org"},
        {"AWS_ENDPOINT_URL": "https://s3.example.org", "LAKE_CATALOG": "sqlite:/lake.sqlite"},
    ],
)
def test_a_replay_is_rejected_for_an_external_store_or_catalog(
    named: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "OPEN_METEO", NOWHERE)
    with pytest.raises(StepError) as failure, running_source(named, tmp_path / "log"):
        pytest.fail("a replay server was started")
    assert failure.value.exit_code == ExitCode.UNAVAILABLE
    assert all(name in str(failure.value) for name in named)
    for words in (f"{NOWHERE} did not respond", "Nothing was written", "set OPEN_METEO_URL"):
        assert words in str(failure.value)


def test_an_external_store_is_used_with_a_configured_source(tmp_path: Path) -> None:
    named = {"AWS_ENDPOINT_URL": "https://s3.example.org", "OPEN_METEO_URL": NOWHERE}
    with running_source(named, tmp_path / "log") as chosen:
        assert chosen.replay is None
