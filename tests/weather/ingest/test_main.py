"""The command: arguments, environment, exit codes and output."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.weather.ingest.examples import WINDOW, Lines
from weather.errors import ExitCode, StepError
from weather.ingest.__main__ import main
from weather.settings import StoreSettings
from weather.storage import Store
from weather.window import HOUR, Window

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
ENDS = {
    "WEATHER_WINDOW_START": WINDOW.start.isoformat(),
    "WEATHER_WINDOW_END": WINDOW.end.isoformat(),
}

Result = subprocess.CompletedProcess[str]


def run(*arguments: str, **environment: str) -> Result:
    """Run `python -m weather.ingest` with the test's environment and these variables."""
    return subprocess.run(
        [sys.executable, "-m", "weather.ingest", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(autouse=True)
def _environment(settings: StoreSettings, three_locations: list[str], faults: object) -> None:
    """Set up a store, locations and a source without faults."""


def test_a_run_logs_each_call_and_prints_a_summary() -> None:
    result = run(**ENDS)
    assert result.returncode == ExitCode.OK
    (line,) = result.stderr.splitlines()
    assert line.startswith("Call 1 of 1: 6 hours from ")
    (summary,) = result.stdout.splitlines()
    assert json.loads(summary)["accepted"] == 3


def test_arguments_override_the_environment(stored: Callable[[str], Lines]) -> None:
    other = Window(WINDOW.start, WINDOW.start + HOUR)
    result = run(
        *("--start", other.start.isoformat(), "--end", other.end.isoformat()),
        *("--shard", "1", "--shards", "3"),
        **ENDS,
        WEATHER_SHARD="0",
        WEATHER_SHARDS="1",
    )
    assert result.returncode == ExitCode.OK
    (key, lines), (report, (line,)) = sorted(stored("").items())
    assert fnmatch(key, f"raw/{other.key}/*Z-*/shard-001-of-003-call-0000.json")
    assert [line["location"]["id"] for line in lines] == ["new-york"]
    assert report == f"raw/{other.key}/shard-001-of-003-report.json"
    assert (line["hours_asked"], line["hours_received"], line["hours_rejected"]) == (1, 1, 0)


def test_a_fault_sets_the_exit_code_and_the_last_line(faults: Callable[[str], None]) -> None:
    faults("hourly_limit")
    result = run(**ENDS)
    assert result.returncode == ExitCode.WAIT_NEXT_HOUR
    assert result.stderr.splitlines()[-1].startswith("ingest: Call 1 of 1 ")
    assert json.loads(result.stdout)["accepted"] == 0


def test_a_failed_run_stores_its_report(
    faults: Callable[[str], None], stored: Callable[[str], Lines]
) -> None:
    faults("hourly_limit")
    assert run(**ENDS).returncode == ExitCode.WAIT_NEXT_HOUR
    ((key, (line,)),) = stored("raw/").items()
    assert key == f"raw/{WINDOW.key}/shard-000-of-001-report.json"
    assert (line["hours_asked"], line["hours_received"]) == (18, 0)


def test_a_report_that_cannot_be_stored_is_a_warning(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    stored: Callable[[str], Lines],
) -> None:
    put = Store.put

    def fail_on_reports(store: Store, key: str, body: bytes) -> None:
        if key.endswith("-report.json"):
            raise StepError("The S3 store is full.", ExitCode.UNAVAILABLE)
        put(store, key, body)

    monkeypatch.setattr(Store, "put", fail_on_reports)
    for name, value in ENDS.items():
        monkeypatch.setenv(name, value)
    assert main([]) == ExitCode.OK
    assert len(stored("raw/")) == 1
    assert "The report of this shard was not stored. The S3 store is full." in caplog.text


def test_a_shard_without_locations_succeeds() -> None:
    result = run("--shard", "0", "--shards", "4", **ENDS)
    assert result.returncode == ExitCode.OK
    assert json.loads(result.stdout)["calls"] == 0


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        ([], {"WEATHER_WINDOW_START": ""}, "WEATHER_WINDOW_START is missing"),
        (["--end", "tomorrow"], {}, "WEATHER_WINDOW_END: Invalid isoformat string: 'tomorrow'"),
        (["--start", WINDOW.end.isoformat()], {}, "is not before"),
        (["--shard", "3", "--shards", "3"], {}, "WEATHER_SHARDS: shard 3 is not one of 0 to 2"),
        (["--shard", "-1"], {}, "WEATHER_SHARDS: shard -1 is not one of 0 to 0"),
        ([], {"WEATHER_SHARDS": "0"}, "WEATHER_SHARDS: "),
        ([], {"WEATHER_SHARD": "one"}, "WEATHER_SHARD: 'one' is not an integer"),
        (["--wrong"], {}, "unrecognized arguments: --wrong"),
        (["--sta", "x"], {}, "unrecognized arguments: --sta x"),
        (["--start"], {}, "argument --start: expected one argument"),
        ([], {"WEATHER_LOCATIONS": "/nowhere.yaml"}, "WEATHER_LOCATIONS: /nowhere.yaml: "),
        ([], {"OPEN_METEO_URL": "api.open-meteo.com"}, "OPEN_METEO_URL: "),
        ([], {"AWS_SECRET_ACCESS_KEY": ""}, "AWS_SECRET_ACCESS_KEY: is missing"),
        (["--end", "2999-01-01T00:00"], {}, "an hour that has not happened yet"),
    ],
)
def test_an_invalid_setting_is_reported_in_one_line(
    arguments: list[str],
    environment: dict[str, str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in (ENDS | environment).items():
        monkeypatch.setenv(name, value)
    assert main(arguments) == ExitCode.SETTING
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ingest: ")
    assert words in line
