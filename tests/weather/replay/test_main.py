"""The replay server as a process: start, log, and the header that marks a replay."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from tests.replay_server import PROJECT, replay_server
from tests.timeouts import TIMEOUT_SECONDS
from tests.upgrades import internals
from weather.replay.faults import NAMES

FORM = {
    "latitude": "45.75",
    "longitude": "4.85",
    "hourly": "temperature_2m",
    "start_hour": "2026-02-10T22:00",
    "end_hour": "2026-02-11T03:00",
}


def test_log_and_responses_are_labelled_as_a_replay(tmp_path: Path) -> None:
    log = tmp_path / "replay.log"
    with replay_server(faults="bad_gateway*1", log=log) as url:
        assert "replay" in log.read_text().lower()
        failed, succeeded = (
            httpx.post(f"{url}/v1/forecast", data=FORM, timeout=TIMEOUT_SECONDS) for _ in range(2)
        )
        assert (failed.status_code, succeeded.status_code) == (502, 200)
        lines = [line for line in log.read_text().splitlines() if "Replay, not Open-Meteo" in line]
    assert "with 502 (bad_gateway)" in lines[0]
    assert "with 200 (healthy)" in lines[1]
    assert failed.headers["x-replay"] == succeeded.headers["x-replay"] == "nycflights13"


@pytest.mark.parametrize("path", ["/", "/healthz"])
def test_the_root_identifies_the_replay(replay: httpx.Client, path: str) -> None:
    response = replay.get(path)
    assert response.json()["replay"] == "nycflights13"
    assert response.headers["x-replay"] == "nycflights13"


def test_an_unknown_fault_is_reported_in_one_line() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "weather.replay", "--port", "0"],
        env=os.environ | {"PYTHONPATH": str(PROJECT), "REPLAY_FAULTS": "hung"},
        capture_output=True,
        check=False,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert ended.returncode == os.EX_USAGE
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("replay: REPLAY_FAULTS: 'hung': unknown fault.")
    assert all(name in line for name in NAMES)


def test_uvicorn_exposes_connection_state_and_sockets() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["state"].get("close_connection"))
        seen[0]()

    async def conversation() -> bytes:
        from uvicorn.protocols.http.h11_impl import H11Protocol

        class Watched(H11Protocol):
            def connection_made(self, transport: Any) -> None:
                super().connection_made(transport)
                self.app_state = {**self.app_state, "close_connection": transport.abort}

        config = uvicorn.Config(app, port=0, http=Watched, lifespan="off", log_config=None)
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=None)
        assert server.started
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET / HTTP/1.1\r\nHost: weather.test\r\n\r\n")
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()
            await server.shutdown()

    with internals("uvicorn", "0.54.0", "weather/replay/__main__.py"):
        assert asyncio.run(asyncio.wait_for(conversation(), TIMEOUT_SECONDS)) == b""
        assert len(seen) == 1
