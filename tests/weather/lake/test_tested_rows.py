"""Publish only rows that passed all data tests."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline import MODELS, PROJECT, Pipeline, run_dbt
from weather.ducklake import attached_lake, lake_id, tables_of
from weather.errors import ExitCode
from weather.lake.__main__ import main
from weather.lake.backup import back_up
from weather.lake.backup_storage import FolderStorage
from weather.lake.restore import restore
from weather.lake.tested_snapshots import TABLES, TEST_RECORDS
from weather.published import PUBLISHED_KEY
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


def test_every_table_requires_test_records(pipeline: Pipeline) -> None:
    pipeline.fill(lookback_window(END, HOURS))
    with attached_lake(pipeline.settings) as lake:
        # kept_values is not a model: the transaction of stg_weather writes it.
        assert set(tables_of(lake)) == {*TABLES, "kept_values"}


def test_another_runs_rows_are_published_only_after_tests(
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

    def another_run(event: Any) -> None:
        if event.info.name == "LogTestResult" and not came:
            came.append(event.info.name)
            pipeline.execute(INSERT_HOUR)

    tests = ["test", "--select", *MODELS, "--exclude", "test_type:unit", *PROJECT]
    assert run_dbt(*tests, callbacks=[another_run])
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
