"""Concurrent writers leave one row for each key, with either kind of catalog."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.expected_mart import expected_mart
from tests.pipeline import PROJECT, Pipeline
from tests.weather.lake.postgres_catalog import HAS_POSTGRES, NO_POSTGRES, PASSWORD, running_catalog
from weather.dbt_environment import PROFILE
from weather.ducklake import attached_lake
from weather.errors import ExitCode
from weather.lake.__main__ import main
from weather.locations import read_locations
from weather.settings import DEFAULT_LOCATIONS
from weather.window import HOUR, lookback_window

END = datetime(2026, 11, 20, 5, tzinfo=UTC)
HOURS = 24
FIRST_WINDOW = lookback_window(END, HOURS)
KEYS = {
    "stg_weather": "location_id, hour_timestamp",
    "rejected_weather": "location_id, hour_timestamp, variable, value",
    "daily_weather_stats": "location_id, date",
}
STAGE = [
    str(Path(sys.executable).with_name("dbt")),
    *("build", "--select", "fqn:weather.stg_weather", *PROJECT, *PROFILE),
]
CONFLICT = "another run or step wrote to the lake at the same time"
INSERT_HOUR = """
insert into stg_weather by name
select
    'lyon' as location_id,
    timestamp '{hour}' as hour_timestamp,
    {temperature} as temperature_c,
    {rain} as precipitation_mm,
    {wind} as windspeed_kmh,
    timestamp '{fetched_at}' as fetched_at
"""


@pytest.fixture(params=["sqlite", "postgres"])
def lake(
    request: pytest.FixtureRequest, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pipeline]:
    """A lake after one run, with its catalog in either database."""
    if request.param == "sqlite":
        pipeline.fill(FIRST_WINDOW)
        yield pipeline
        return
    with in_postgres(monkeypatch):
        pipeline.run_hour(END, HOURS)
        yield pipeline


@contextmanager
def in_postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty catalog in Postgres, as on a cluster."""
    if not HAS_POSTGRES:
        pytest.skip(NO_POSTGRES)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with running_catalog() as catalog:
        monkeypatch.setenv("LAKE_CATALOG", catalog.address)
        assert main(["create"]) == ExitCode.OK
        yield


def duplicates(pipeline: Pipeline) -> list[tuple[Any, ...]]:
    """Return the duplicate keys of all tables."""
    return [
        row
        for table, key in KEYS.items()
        for row in pipeline.rows(f"select {key} from {table} group by all having count(*) > 1")
    ]


def insert(lake: duckdb.DuckDBPyConnection, hour: datetime, temperature: float) -> None:
    """Insert an hour of Lyon in a transaction that stays open."""
    lake.execute("begin")
    lake.execute(
        INSERT_HOUR.format(
            hour=hour.replace(tzinfo=None),
            temperature=temperature,
            rain=0,
            wind=1,
            fetched_at="2026-11-26",
        )
    )


def test_the_next_run_merges_a_key_of_two_transactions(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two transactions insert the same key.

    DuckLake has no unique keys, so both commits succeed in Postgres.
    """
    with in_postgres(monkeypatch):
        pipeline.run_hour(END, HOURS)
        with attached_lake(pipeline.settings) as one, attached_lake(pipeline.settings) as other:
            insert(one, END, 41)
            insert(other, END, 42)
            one.execute("commit")
            other.execute("commit")
        assert [key[0] for key in duplicates(pipeline)] == ["lyon"]
        pipeline.run_hour(END + HOUR, HOURS)
        assert duplicates(pipeline) == []


def test_one_of_two_overlapping_transactions_fails(lake: Pipeline, tmp_path: Path) -> None:
    lake.run_hour(END + HOUR, HOURS)
    lake.take(lookback_window(END + 2 * HOUR, HOURS))
    assert lake.ingest() == ExitCode.OK
    with attached_lake(lake.settings) as other:
        insert(other, END + HOUR, 41)
        other.execute("update stg_weather_write_lock set transactions = transactions + 1")
        # A process, as in a run: after a failed commit, SQLite may stay locked until its end.
        log = tmp_path / "dbt.log"
        with log.open("w") as output:
            built = subprocess.run(STAGE, stdout=output, check=False).returncode == 0
        assert built is (CONFLICT not in log.read_text())
        try:
            other.execute("commit")
            committed = True
        except duckdb.Error:
            committed = False
    # With SQLite both may fail.
    assert not (built and committed)
    assert built or lake.settings.lake_catalog.startswith("sqlite:")
    assert duplicates(lake) == []
    lake.run_hour(END + 2 * HOUR, HOURS)
    assert duplicates(lake) == []


def test_a_conflict_stores_nothing_and_is_logged(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with in_postgres(monkeypatch):
        for hour in range(2):
            pipeline.run_hour(END + hour * HOUR, HOURS)
        before = pipeline.rows("select * from stg_weather order by all")
        pipeline.take(lookback_window(END + 2 * HOUR, HOURS))
        assert pipeline.ingest() == ExitCode.OK
        capfd.readouterr()
        with busy_writer(pipeline):
            assert not pipeline.transform("stg_weather")
        lines = capfd.readouterr().out.splitlines()
        assert sum(f"ERROR stg_weather: {CONFLICT}" in line for line in lines) == 1
        assert pipeline.rows("select * from stg_weather order by all") == before
        pipeline.run_hour(END + 2 * HOUR, HOURS)


@contextmanager
def busy_writer(pipeline: Pipeline) -> Iterator[None]:
    """Run another writer that starts transactions without a pause."""
    ended = threading.Event()

    def write() -> None:
        with attached_lake(pipeline.settings) as lake:
            while not ended.is_set():
                # The other writer may have been first.
                try:
                    lake.execute(
                        "update stg_weather_write_lock set transactions = transactions + 1"
                    )
                except duckdb.TransactionException:
                    continue

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_concurrent_builds_of_the_same_hours_duplicate_nothing(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_postgres(monkeypatch):
        pipeline.run_hour(END, HOURS)
        pipeline.take(lookback_window(END + 12 * HOUR, HOURS))
        assert pipeline.ingest() == ExitCode.OK
        logs = [tmp_path / "one.log", tmp_path / "other.log"]
        processes = []
        for log in logs:
            with log.open("w") as output:
                processes.append(subprocess.Popen(STAGE, stdout=output, stderr=output))
        ended = [process.wait() for process in processes]
        assert 0 in ended
        for log, code in zip(logs, ended, strict=True):
            assert (CONFLICT in log.read_text()) == (code != 0), log.read_text()
        assert duplicates(pipeline) == []
        pipeline.run_hour(END + 12 * HOUR, HOURS)
        rows = pipeline.rows("select * from daily_weather_stats order by location_id, date")
    locations = read_locations(DEFAULT_LOCATIONS)
    assert rows == expected_mart(locations, END - HOURS * HOUR, END + 12 * HOUR)


OLD, NEW = "2019-01-01", "2099-01-01"


DOUBLED = [
    "insert into stg_weather by name select * from stg_weather where location_id = 'kolkata'",
    # An hour outside all windows, twice. Then a later copy of a recent hour that lacks values.
    *(
        INSERT_HOUR.format(
            hour=hour, temperature=temperature, rain=rain, wind=wind, fetched_at=fetched_at
        )
        for hour, temperature, rain, wind, fetched_at in (
            ("2020-02-29 05:00", 1, 2, 3, OLD),
            ("2020-02-29 05:00", 4, "null", 6, NEW),
            ("2026-11-20 03:00", "null", "null", 6, NEW),
        )
    ),
    "insert into daily_weather_stats by name select days.* from daily_weather_stats days, range(2)",
    (
        "insert into rejected_weather by name select 'lyon' as location_id,"
        " timestamp '2026-11-20 03:00' as hour_timestamp, 'windspeed_kmh' as variable,"
        " 2000 as value, 'because' as reason from range(3)"
    ),
]


def test_a_run_without_responses_merges_duplicate_keys(
    pipeline: Pipeline,
) -> None:
    pipeline.fill(FIRST_WINDOW)
    days = pipeline.rows("select * from daily_weather_stats order by all")
    hours = set(pipeline.rows("select location_id, hour_timestamp from stg_weather"))
    ((temperature, rain),) = pipeline.rows(
        "select temperature_c, precipitation_mm from stg_weather"
        " where location_id = 'lyon' and hour_timestamp = '2026-11-20 03:00'"
    )
    for statement in DOUBLED:
        pipeline.execute(statement)
    assert len(duplicates(pipeline)) == HOURS + 2 + len(days) + 1

    pipeline.take(lookback_window(END + HOUR, HOURS))
    assert pipeline.transform()
    assert duplicates(pipeline) == []
    assert pipeline.publish() == ExitCode.OK
    lyon = "select temperature_c, precipitation_mm, windspeed_kmh from stg_weather where"
    assert pipeline.rows(f"{lyon} hour_timestamp < '2021-01-01'") == [(4, 2, 6)]
    assert pipeline.rows(
        f"{lyon} location_id = 'lyon' and hour_timestamp = '2026-11-20 03:00'"
    ) == [(temperature, rain, 6)]
    assert pipeline.rows("select * from daily_weather_stats order by all") == days
    assert hours < set(pipeline.rows("select location_id, hour_timestamp from stg_weather"))
