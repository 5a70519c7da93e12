"""Maintenance keeps the lake small and the published snapshot readable."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.pipeline import Pipeline
from weather.lake.upkeep import maintain
from weather.published import MART_KEY, PUBLISHED_KEY
from weather.window import HOUR, lookback_window

END = datetime(2026, 11, 20, 5, tzinfo=UTC)
NOW = timedelta(0)
MART = "select * from daily_weather_stats order by all"
STAGED = "select * from stg_weather order by all"


@pytest.fixture
def busy_lake(pipeline: Pipeline) -> Pipeline:
    """A lake after several runs, each of which rewrote its hours."""
    pipeline.fill(*(lookback_window(END + hour * HOUR, 48) for hour in range(4)))
    return pipeline


def files(pipeline: Pipeline) -> list[str]:
    return list(pipeline.store.list("transformed/main/"))


def snapshots(pipeline: Pipeline) -> list[int]:
    rows = pipeline.rows("select snapshot_id from lake.snapshots() order by 1")
    return [snapshot_id for (snapshot_id,) in rows]


def test_old_snapshots_and_files_are_deleted_and_every_row_stays(busy_lake: Pipeline) -> None:
    rows, mart, before = busy_lake.rows(STAGED), busy_lake.rows(MART), files(busy_lake)
    published = busy_lake.published()
    assert published is not None

    done = maintain(busy_lake.settings, kept=NOW, grace=NOW)

    assert done.expired_snapshots > 0
    assert done.deleted_files > 0
    assert len(files(busy_lake)) < len(before)
    assert busy_lake.rows(STAGED) == rows
    assert busy_lake.rows(MART, snapshot_id=published.snapshot_id) == mart
    assert snapshots(busy_lake)[0] == published.snapshot_id


def test_the_published_snapshot_is_kept_below_newer_ones(
    busy_lake: Pipeline,
) -> None:
    published = busy_lake.published()
    assert published is not None
    mart = busy_lake.rows(MART)
    busy_lake.execute("delete from daily_weather_stats where location_id = 'lyon'")
    busy_lake.execute("delete from stg_weather where location_id = 'lyon'")

    maintain(busy_lake.settings, kept=NOW, grace=NOW)

    assert busy_lake.rows(MART, snapshot_id=published.snapshot_id) == mart
    assert busy_lake.rows(
        "select count(*) from daily_weather_stats where location_id = 'lyon'"
    ) == [(0,)]


def test_only_unused_table_files_are_deleted(busy_lake: Pipeline) -> None:
    left_by_a_killed_run = "transformed/main/stg_weather/left-by-a-killed-run.parquet"
    busy_lake.store.put(left_by_a_killed_run, b"half a file")
    raw = list(busy_lake.store.list("raw/"))

    maintain(busy_lake.settings)
    assert left_by_a_killed_run in files(busy_lake)

    maintain(busy_lake.settings, kept=NOW, grace=NOW)
    assert left_by_a_killed_run not in files(busy_lake)
    assert busy_lake.store.get(MART_KEY)
    assert busy_lake.store.get(PUBLISHED_KEY)
    assert list(busy_lake.store.list("raw/")) == raw


def test_snapshots_are_kept_for_seven_days(
    busy_lake: Pipeline,
) -> None:
    before = snapshots(busy_lake)
    assert maintain(busy_lake.settings).expired_snapshots == 0
    assert set(before) <= set(snapshots(busy_lake))
    maintain(busy_lake.settings, kept=NOW, grace=NOW)
    busy_lake.run_hour(END + 4 * HOUR, lookback_hours=48)
    assert busy_lake.rows("select count(distinct hour_timestamp), count(*) from stg_weather") == [
        (52, 3 * 52)
    ]
