"""Older responses and an older lake have null for a variable that is added later."""

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scripts.dbt_variables import generated_files
from tests.dbt_project.responses import RawResponse, same, store
from tests.pipeline import Pipeline, run_dbt
from weather.lake.__main__ import main as lake_step
from weather.variables import VARIABLES, Statistic, Variable
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

HUMIDITY = Variable(
    source_name="relative_humidity_2m",
    column="relative_humidity_percent",
    unit="%",
    possible=(0, 100),
    description="Relative humidity: at 2 m, in %.",
    example=70.0,
    label="Humidity",
    replay_column="humid",
    statistics=[
        Statistic("avg_humidity_percent", "avg", "Mean of the day.", "Mean of the days' means.")
    ],
)


@pytest.fixture
def newer_project(tmp_path: Path) -> Path:
    """A copy of the project with one more variable."""
    project = tmp_path / "newer"
    shutil.copytree("dbt_project", project, ignore=shutil.ignore_patterns("target", "logs"))
    for path, text in generated_files(project, [*VARIABLES, HUMIDITY]).items():
        path.write_text(text, encoding="utf-8")
    return project


def hours(pipeline: Pipeline) -> list[tuple[object, ...]]:
    return pipeline.rows(
        f"select location_id, temperature_c, windspeed_kmh, {HUMIDITY.column}, count(*)"
        " from stg_weather group by all order by all"
    )


def days(pipeline: Pipeline) -> list[tuple[object, ...]]:
    return pipeline.rows(
        "select location_id, avg_humidity_percent from daily_weather_stats"
        f" where date = '{START:%Y-%m-%d}' order by all"
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
    assert run_dbt("build", *places)
    expected = [
        ("new", 8.5, 12.0, 81.0, 6),
        ("null", 7.5, 12.0, None, 6),
        ("old", 7.5, 12.0, None, 6),
    ]
    assert hours(pipeline) == expected
    assert days(pipeline) == [("new", 81.0), ("null", None), ("old", None)]

    assert lake_step(["rebuild"]) == 0
    assert hours(pipeline) == expected
    assert days(pipeline) == [("new", 81.0), ("null", None), ("old", None)]


def test_the_generated_files_are_up_to_date() -> None:
    stale = [
        path.name
        for path, text in generated_files().items()
        if path.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run `make variables`"
