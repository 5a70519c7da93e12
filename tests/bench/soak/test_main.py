"""A soak of a few hours, and its end by SIGTERM."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.soak.faults import faults_of_hours
from tests.local.observed_processes import wait_for

pytestmark = pytest.mark.slow

HOURS, SEED = 4, 18


def test_four_hours_end_with_the_expected_rows() -> None:
    assert list(faults_of_hours(HOURS, SEED)) == ["", "impossible_values", "text_value@1", ""]
    ended = subprocess.run(
        [sys.executable, "-m", "bench.soak", "--hours", str(HOURS), "--seed", str(SEED)],
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[2:5] == [
        "      2  success",
        "      1  published, but ingest failed",
        "      1  not published, run again",
    ]
    assert "too short to see growth: at least 288 hours are needed" in ended.stdout
    assert ended.stdout.endswith("rows that differ from the independent computation: 0\n")


def test_sigterm_ends_a_soak(tmp_path: Path) -> None:
    log = tmp_path / "soak.log"
    with (
        log.open("wb") as file,
        subprocess.Popen(
            [sys.executable, "-m", "bench.soak"],
            env=os.environ | {"TMPDIR": str(tmp_path)},
            stdout=file,
            stderr=file,
        ) as process,
    ):
        # dbt has parsed the project, so the soak is in its first hour.
        wait_for(lambda: list(tmp_path.glob("weather-bench-*/target/partial_parse.msgpack")), 300)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=300) == 128 + signal.SIGTERM, log.read_text()
    assert log.read_text() == ""
