"""A rebuild that would lose published hours changes nothing without --allow-fewer-hours."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.pipeline import MODELS, Pipeline
from tests.weather.lake.lost_stores import lose_catalog
from weather.errors import ExitCode
from weather.lake.__main__ import main
from weather.published import MART_KEY, PUBLISHED_KEY
from weather.window import HOUR, lookback_window

END = datetime(2026, 11, 10, 5, tzinfo=UTC)


def forget_location(pipeline: Pipeline, location: str) -> None:
    """Delete a location's responses from raw/, as an older version's repeated run did."""
    for key in list(pipeline.store.list("raw/")):
        lines = (pipeline.store.get(key) or b"").splitlines()
        kept = [line for line in lines if f'"{location}"'.encode() not in line]
        pipeline.store.put(key, b"\n".join(kept))


def lake_and_readers(pipeline: Pipeline) -> list[Any]:
    keys = (PUBLISHED_KEY, MART_KEY)
    return [
        *(pipeline.rows(f"select * from {model} order by all") for model in MODELS),
        *(pipeline.store.get(key) for key in keys),
    ]


def run_rebuild(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a rebuild in a subprocess, because dbt in this process has a lost catalog attached."""
    command = [sys.executable, "-m", "weather.lake", "rebuild", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_published_hours_missing_in_raw_are_reported_and_kept(
    pipeline: Pipeline, capfd: pytest.CaptureFixture[str]
) -> None:
    pipeline.fill(lookback_window(END, 24))
    forget_location(pipeline, "kolkata")
    pipeline.take(lookback_window(END + HOUR, 1))
    assert pipeline.ingest() == ExitCode.OK
    before = lake_and_readers(pipeline)
    capfd.readouterr()
    assert main(["rebuild"]) == ExitCode.SETTING
    line = capfd.readouterr().err.splitlines()[-1]
    assert "Readers have 24 hours of 1 locations that this lake does not have: " in line
    assert "kolkata 2026-11-09 (19), kolkata 2026-11-10 (5)." in line
    assert "--allow-fewer-hours" in line
    assert lake_and_readers(pipeline) == before
    assert main(["rebuild", "--allow-fewer-hours"]) == ExitCode.OK
    assert pipeline.rows("select location_id, count(*) from stg_weather group by 1 order by 1") == [
        ("kolkata", 1),
        ("lyon", 25),
        ("new-york", 25),
    ]


def test_published_hours_are_in_the_file_if_the_catalog_is_lost(pipeline: Pipeline) -> None:
    pipeline.fill(lookback_window(END, 24))
    forget_location(pipeline, "kolkata")
    lose_catalog(pipeline)
    before = [pipeline.store.get(key) for key in (PUBLISHED_KEY, MART_KEY)]
    rejected = run_rebuild()
    assert rejected.returncode == ExitCode.SETTING
    # The days of the location, five and a half hours later.
    assert "kolkata 2026-11-09 (14), kolkata 2026-11-10 (10)." in rejected.stderr.splitlines()[-1]
    assert [pipeline.store.get(key) for key in (PUBLISHED_KEY, MART_KEY)] == before
    assert run_rebuild("--allow-fewer-hours").returncode == ExitCode.OK
    assert pipeline.rows("select count(*) from stg_weather") == [(2 * 24,)]


def test_a_missing_value_counts_as_a_lost_hour(
    pipeline: Pipeline, capfd: pytest.CaptureFixture[str]
) -> None:
    pipeline.fill(lookback_window(END, 24))
    (key,) = (key for key in pipeline.store.list("raw/") if key.endswith("call-0000.json"))
    lines = [json.loads(line) for line in (pipeline.store.get(key) or b"").splitlines()]
    lines[0]["answer"]["hourly"]["precipitation"][3] = None
    pipeline.store.put(key, "\n".join(map(json.dumps, lines)).encode())
    capfd.readouterr()
    assert main(["rebuild"]) == ExitCode.SETTING
    assert "Readers have 1 hours" in capfd.readouterr().err.splitlines()[-1]
