"""After a variable is added, older responses and an older lake have null for it."""

import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner

from tests.dbt_project.responses import RawResponse, same, store
from tests.pipeline import PROFILE, Pipeline
from weather.lake.__main__ import main as lake_step
from weather.window import HOUR, Window

START = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = Window(START, START + 6 * HOUR)

OLD = {
    "temperature_2m": same(7.5, 6),
    "precipitation": same(0.25, 6),
    "wind_speed_10m": same(12.0, 6),
}
NEW = {**OLD, "temperature_2m": same(8.5, 6), "relative_humidity_2m": same(81.0, 6)}
NULL = {**OLD, "relative_humidity_2m": None}

Variables = Mapping[str, Sequence[float | None] | None]
RESPONSES: Mapping[str, Variables] = {"old": OLD, "new": NEW, "null": NULL}

HUMIDITY = "relative_humidity_percent"
CHANGES = {
    "macros/hours_of_this_run.sql": (
        r"(\n +)('windspeed_kmh': 'wind_speed_10m',)",
        rf"\1\2\1'{HUMIDITY}': 'relative_humidity_2m',",
    ),
    "dbt_project.yml": (r"(\n +)(windspeed_kmh: .*)", rf"\1\2\1{HUMIDITY}: [0, 100]"),
    "models/stg_weather.sql": (r"(\n +)(windspeed_kmh,)", rf"\1\2\1{HUMIDITY},"),
    "models/models.yml": (
        r"(name: stg_weather\n.*?\n +)(- name: windspeed_kmh\n)( +)",
        rf"\1- name: {HUMIDITY}\n\3data_type: double\n      \2\3",
    ),
}
"""A developer's changes in dbt's files that add relative humidity."""


@pytest.fixture
def newer_project(tmp_path: Path) -> Path:
    """The project with one more variable."""
    project = tmp_path / "newer"
    shutil.copytree("dbt_project", project, ignore=shutil.ignore_patterns("target", "logs"))
    for name, (pattern, replacement) in CHANGES.items():
        file = project / name
        text, changes = re.subn(
            pattern, replacement, file.read_text(encoding="utf-8"), count=1, flags=re.DOTALL
        )
        assert changes == 1, name
        file.write_text(text, encoding="utf-8")
    return project


def hours(pipeline: Pipeline) -> list[tuple[object, ...]]:
    return pipeline.rows(
        f"select distinct location_id, temperature_c, windspeed_kmh, {HUMIDITY}, count(*) over"
        " (partition by location_id) from stg_weather order by all"
    )


def test_older_responses_and_an_older_lake_have_null(
    pipeline: Pipeline, newer_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [RawResponse(name, WINDOW.end, OLD, START) for name in RESPONSES]
    store(pipeline, WINDOW, old)
    assert pipeline.transform("stg_weather")

    # The run is retried by newer code, so that its window has responses of both.
    newer = [
        RawResponse(name, WINDOW.end + HOUR, variables, START)
        for name, variables in RESPONSES.items()
    ]
    store(pipeline, WINDOW, [*old, *newer])
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    monkeypatch.setenv("DBT_PROFILES_DIR", str(newer_project))
    places = ["--project-dir", str(newer_project), "--profiles-dir", str(newer_project)]
    assert dbtRunner().invoke(["build", *places, *PROFILE]).success
    expected = [
        ("new", 8.5, 12.0, 81.0, 6),
        ("null", 7.5, 12.0, None, 6),
        ("old", 7.5, 12.0, None, 6),
    ]
    assert hours(pipeline) == expected

    assert lake_step(["rebuild"]) == 0
    assert hours(pipeline) == expected
