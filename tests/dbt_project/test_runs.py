"""Many runs give the same rows as one clean run over the same hours."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.api.silent_catalog import silent_catalog
from tests.expected_mart import Row, expected_mart
from tests.pipeline import MODELS, PROJECT, Pipeline
from tests.replay_server import set_faults
from tests.timeouts import TIMEOUT_SECONDS
from weather.dbt_environment import PROFILE
from weather.locations import read_locations
from weather.published import MART_KEY
from weather.settings import DEFAULT_LOCATIONS
from weather.window import Window, lookback_window

HOUR = timedelta(hours=1)
LOOKBACK_HOURS = 168

# The European day of 25 hours begins in the middle of the 48.
FIRST_END = datetime(2026, 10, 24, 12, tzinfo=UTC)
FIRST_WINDOW = lookback_window(FIRST_END, LOOKBACK_HOURS)

MART = "select * from daily_weather_stats order by location_id, date"
HOURS = "select * exclude (fetched_at) from stg_weather order by location_id, hour_timestamp"
REJECTED = "select * from rejected_weather order by all"


def tables(pipeline: Pipeline) -> list[object]:
    """Return all rows without the times of the runs."""
    return [pipeline.rows(query) for query in (HOURS, MART, REJECTED)]


def expected(start: datetime, end: datetime) -> list[Row]:
    """Compute the mart after these hours of the default locations."""
    return expected_mart(read_locations(DEFAULT_LOCATIONS), start, end)


def test_48_hourly_runs_equal_the_expected_mart(pipeline: Pipeline) -> None:
    for hour in range(48):
        pipeline.run(lookback_window(FIRST_END + hour * HOUR, LOOKBACK_HOURS))

    end = FIRST_END + 47 * HOUR
    published = pipeline.published()
    assert published is not None
    assert published.window_end == end
    rows = pipeline.rows(MART, snapshot_id=published.snapshot_id)
    assert rows == expected(FIRST_END - LOOKBACK_HOURS * HOUR, end)
    assert len(rows) == len({row[:2] for row in rows}) >= 27
    by_key = {row[:2]: row for row in rows}
    assert by_key["lyon", end.date()][-1] is False
    assert by_key["lyon", datetime(2026, 10, 25).date()][-2:] == (25, True)


def test_an_hour_run_three_times_is_stored_once(pipeline: Pipeline) -> None:
    pipeline.fill(FIRST_WINDOW)
    once = tables(pipeline)
    raw = {each.key: each for each in pipeline.store.objects("raw/") if "-call-" in each.key}
    for _ in range(2):
        pipeline.run_hour(FIRST_END)
    assert tables(pipeline) == once
    kept = {each.key: each for each in pipeline.store.objects("raw/") if "-call-" in each.key}
    assert raw.items() <= kept.items()
    assert len(kept) == 3 * len(raw)


def test_unordered_runs_and_a_backfill_equal_one_clean_run(
    pipeline: Pipeline,
) -> None:
    days = [FIRST_END - 24 * day * HOUR for day in (2, 0, 5, 1, 6, 4, 3)]
    for end in days:
        pipeline.run_hour(end, lookback_hours=24 + days.index(end))
    pipeline.run_hour(FIRST_END - 30 * HOUR, lookback_hours=3)
    in_pieces = tables(pipeline)
    newest_first = pipeline.rows("select max(fetched_at) from stg_weather")

    pipeline.execute("delete from stg_weather")
    pipeline.execute("delete from daily_weather_stats")
    pipeline.execute("delete from rejected_weather")
    start = min(end - (24 + days.index(end)) * HOUR for end in days)
    pipeline.run(Window(start, FIRST_END))

    assert tables(pipeline) == in_pieces
    assert pipeline.rows(MART) == expected(start, FIRST_END)
    assert pipeline.rows("select min(fetched_at) from stg_weather") > newest_first


def test_an_older_response_arriving_later_changes_nothing(pipeline: Pipeline) -> None:
    """Transform an earlier run's responses again after a newer run."""
    pipeline.fill(FIRST_WINDOW)
    pipeline.run_hour(FIRST_END + HOUR)
    newest = pipeline.rows("select * from stg_weather order by all")
    pipeline.take(lookback_window(FIRST_END, LOOKBACK_HOURS))
    assert pipeline.transform()
    assert pipeline.rows("select * from stg_weather order by all") == newest


def test_a_corrected_time_zone_applies_to_all_days_of_a_run(pipeline: Pipeline) -> None:
    """Responses of a run with another number of shards keep their old time zone."""
    window = lookback_window(FIRST_END, LOOKBACK_HOURS)
    pipeline.take(window)
    assert pipeline.ingest() == 0
    (key,) = (key for key in pipeline.store.list("raw/") if key.endswith("call-0000.json"))
    lines = [json.loads(line) for line in (pipeline.store.get(key) or b"").splitlines()]
    for line in lines:
        line["fetched_at"] = (datetime.fromisoformat(line["fetched_at"]) - HOUR).isoformat()
        line["location"]["timezone"] = "America/Los_Angeles"
    body = "\n".join(map(json.dumps, lines)).encode()
    pipeline.store.put(f"raw/{window.key}/shard-000-of-002/call-0000.json", body)

    assert pipeline.transform()
    assert pipeline.rows(MART) == expected(window.start, window.end)


@pytest.mark.parametrize("step", ["ingest", *MODELS, "publish"])
def test_a_killed_run_repeated_loses_and_duplicates_nothing(
    pipeline: Pipeline, replay: str, step: str, tmp_path: Path
) -> None:
    pipeline.fill(FIRST_WINDOW)
    pipeline.take(lookback_window(FIRST_END + HOUR, LOOKBACK_HOURS))
    steps = ["ingest", *MODELS, "publish"]
    for earlier in steps[: steps.index(step)]:
        run = pipeline.transform if earlier in MODELS else getattr(pipeline, earlier)
        run(earlier) if earlier in MODELS else run()

    if step == "ingest":
        set_faults(replay, "hang*1")
    log = tmp_path / "killed.log"
    before = traces(pipeline, replay, log)
    with log.open("w") as output:
        process = subprocess.Popen(
            command(step), stdout=output, stderr=output, start_new_session=True
        )
    while process.poll() is None and traces(pipeline, replay, log) == before:
        pass
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    # Publish may have ended in the milliseconds between its first write and the signal.
    assert process.wait() == -signal.SIGKILL or step == "publish", log.read_text()
    set_faults(replay, "")

    pipeline.run_hour(FIRST_END + HOUR)
    end = FIRST_END + HOUR
    assert pipeline.rows(MART) == expected(FIRST_END - LOOKBACK_HOURS * HOUR, end)
    assert pipeline.rows(
        "select count(*), count(distinct (location_id, hour_timestamp)) from stg_weather"
    ) == [(3 * (LOOKBACK_HOURS + 1),) * 2]


def command(step: str) -> list[str]:
    """Return the command that the DAG starts for a step."""
    if step in MODELS:
        return ["dbt", "build", "--select", f"fqn:weather.{step}", *PROJECT, *PROFILE]
    if step == "publish":
        return [sys.executable, "-m", "weather.lake", "publish"]
    return [sys.executable, "-m", "weather.ingest", "--shard", "0", "--shards", "1"]


def traces(pipeline: Pipeline, replay: str, log: Path) -> tuple[object, ...]:
    """Return evidence that a step has started its work: requests, writes and dbt models."""
    return (
        httpx.get(f"{replay}/replay/requests", timeout=TIMEOUT_SECONDS).json()["requests"],
        list(pipeline.store.list("transformed/")),
        pipeline.store.get(MART_KEY),
        log.exists() and "START sql incremental model main.rejected_weather" in log.read_text(),
    )


def test_an_impossible_value_is_left_out_of_the_day(
    pipeline: Pipeline,
) -> None:
    """The replay returns EWR's wind of 1,048 mph of 2013-02-12T08Z for New York in 2026."""
    hour = datetime(2026, 2, 9, 8, tzinfo=UTC)
    pipeline.run_hour(hour + 10 * HOUR)
    assert pipeline.rows("select * from rejected_weather") == [
        ("new-york", hour.replace(tzinfo=None), "windspeed_kmh", 1687.2, "not between 0 and 410")
    ]
    assert pipeline.rows(
        "select temperature_c is null, windspeed_kmh from stg_weather"
        " where location_id = 'new-york' and hour_timestamp = '2026-02-09 08:00'"
    ) == [(False, None)]
    assert pipeline.rows(MART) == expected(hour - 158 * HOUR, hour + 10 * HOUR)


def test_dbt_applies_pgconnect_timeout(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.take(lookback_window(FIRST_END, LOOKBACK_HOURS))
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "2")
    dbt = str(Path(sys.executable).with_name("dbt"))
    with silent_catalog() as port:
        monkeypatch.setenv("LAKE_CATALOG", f"postgres:host=127.0.0.1 port={port} user=weather")
        ended = subprocess.run(
            [dbt, "build", "--select", "stg_weather", *PROJECT, *PROFILE],
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
    assert ended.returncode != 0
    assert "timeout expired" in ended.stdout + ended.stderr
