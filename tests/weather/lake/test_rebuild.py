"""A rebuild from raw/ alone gives the same rows, and the API the same responses."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline import MODELS, Pipeline
from tests.replay_server import set_faults
from tests.timeouts import TIMEOUT_SECONDS
from tests.weather.ingest.examples import windows
from tests.weather.ingest.scripted_server import Form, Reply, scripted_server
from tests.weather.lake.lost_stores import api_responses, lose_catalog, lose_objects
from weather.errors import ExitCode
from weather.lake.__main__ import main
from weather.lake.backup import back_up
from weather.lake.backup_storage import FolderStorage
from weather.lake.rebuild import monthly_batches
from weather.lake.upkeep import TABLE_FILES
from weather.published import MART_KEY, PUBLISHED_KEY
from weather.settings import PipelineSettings, read_settings
from weather.source import REPLAY
from weather.window import HOUR, Window, lookback_window

END = datetime(2026, 11, 10, 5, tzinfo=UTC)
HOURS = 31 * 24
LOCATIONS = 3


def tables(pipeline: Pipeline) -> list[list[tuple[Any, ...]]]:
    return [pipeline.rows(f"select * from {model} order by all") for model in MODELS]


def partitions(pipeline: Pipeline) -> set[str]:
    files = pipeline.store.list(f"{TABLE_FILES}stg_weather/")
    return {key.rpartition("/")[0] for key in files if not key.endswith("-delete.parquet")}


def store_again(
    pipeline: Pipeline, window: Window, values: dict[str, float], *, later: timedelta
) -> None:
    """Copy the newest run's responses as those of another window, and transform the copies.

    Args:
        window: the run's window. Its responses come from the newest run that covers its hours.
        values: new values of the first hour, by the service's variable names.
        later: delay of these responses after the copied ones.
    """
    (newest,) = (
        key
        for key in pipeline.store.list("raw/")
        if key.endswith("call-0000.json") and lookback_window(END, 48).key in key
    )
    lines = [json.loads(line) for line in (pipeline.store.get(newest) or b"").splitlines()]
    for line in lines:
        fetched_at = datetime.fromisoformat(line["fetched_at"]) + later
        line["fetched_at"] = fetched_at.isoformat()
        hourly = line["answer"]["hourly"]
        first = hourly["time"].index(f"{window.start:%Y-%m-%dT%H:%M}")
        for name, series in hourly.items():
            hourly[name] = series[first : first + window.hours]
        for name, value in values.items():
            hourly[name][0] = value
    body = "\n".join(json.dumps(line) for line in lines)
    pipeline.store.put(f"raw/{window.key}/shard-000-of-001/call-0000.json", body.encode())
    pipeline.take(window)
    assert pipeline.transform()


@pytest.fixture
def month(pipeline: Pipeline) -> Pipeline:
    """A month of three locations, with revisions, late arrivals and impossible values."""
    pipeline.fill_once("month", lambda: run_month(pipeline))
    return pipeline


def run_month(pipeline: Pipeline) -> None:
    pipeline.run(Window(END - HOURS * HOUR, END - 2 * HOUR))
    pipeline.run_hour(END, lookback_hours=48)
    day_before = END - 24 * HOUR
    revised, late = Window(day_before, END - HOUR), Window(day_before + 2 * HOUR, END - 2 * HOUR)
    store_again(pipeline, revised, {"temperature_2m": 39.5}, later=HOUR)
    store_again(pipeline, late, {"temperature_2m": -39.5, "wind_speed_10m": 1687.2}, later=-HOUR)
    pipeline.run_hour(END, lookback_hours=3)


def only_raw_is_left(pipeline: Pipeline) -> None:
    lose_objects(pipeline, "transformed/")
    lose_objects(pipeline, "rejected/")
    lose_catalog(pipeline)


@pytest.mark.parametrize(
    "lose", [lambda _: None, lose_catalog, only_raw_is_left], ids=["nothing", "catalog", "all"]
)
def test_a_month_is_rebuilt_from_raw_alone(
    month: Pipeline,
    lose: Callable[[Pipeline], None],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    before, responses, partitioned = (
        tables(month),
        api_responses(tmp_path / "before.log"),
        partitions(month),
    )
    staged, rejected, days = before
    assert len(staged) == LOCATIONS * HOURS
    assert {row[2] for row in staged} >= {39.5}
    assert {row[2] for row in staged}.isdisjoint({-39.5})
    assert sum(row[3] == 1687.2 for row in rejected) == LOCATIONS
    assert len(days) > LOCATIONS * 30

    lose(month)
    capfd.readouterr()
    assert main(["rebuild"]) == ExitCode.OK
    reported = json.loads(capfd.readouterr().out)

    assert tables(month) == before
    assert api_responses(tmp_path / "after.log") == responses
    published = month.published()
    assert published is not None
    assert published.window_end == END
    assert published.source == REPLAY
    assert reported == {
        "windows": 5,
        "rows": {
            "daily_weather_stats": len(days),
            "kept_values": 0,
            "rejected_weather": len(rejected),
            "stg_weather": len(staged),
        },
        "published_snapshot_id": published.snapshot_id,
    }
    assert month.store.get(MART_KEY)
    assert partitions(month) == partitioned
    assert back_up(month.settings, FolderStorage(tmp_path / "backup")).rows == reported["rows"]

    month.run_hour(END + HOUR, lookback_hours=5)
    assert month.rows("select count(*) from stg_weather") == [(LOCATIONS * (HOURS + 1),)]


def spoil(pipeline: Pipeline) -> None:
    """Set temperatures that fail a data test in the only stored responses."""
    (key,) = (key for key in pipeline.store.list("raw/") if key.endswith("call-0000.json"))
    body = re.sub(rb'("temperature_2m":\[)[^,]+', rb"\g<1>-61", pipeline.store.get(key) or b"")
    pipeline.store.put(key, body)


def test_a_failed_rebuild_leaves_the_lake_unchanged(pipeline: Pipeline) -> None:
    pipeline.fill(lookback_window(END, 48))
    before, published = tables(pipeline), pipeline.store.get(PUBLISHED_KEY)
    spoil(pipeline)
    # A separate process, because dbt in this one caches the tables.
    command = [sys.executable, "-m", "weather.lake", "rebuild"]
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode == ExitCode.UNEXPECTED
    assert "temperature_c_is_between_60_below_and_60" in failed.stdout
    assert failed.stderr.splitlines()[-1].startswith("rebuild: dbt test failed")
    assert tables(pipeline) == before
    assert pipeline.store.get(PUBLISHED_KEY) == published
    pipeline.run_hour(END + HOUR, lookback_hours=5)


def test_a_failed_rebuild_keeps_published_json(
    pipeline: Pipeline,
) -> None:
    pipeline.fill(lookback_window(END, 48))
    published = pipeline.store.get(PUBLISHED_KEY)
    spoil(pipeline)
    lose_catalog(pipeline)
    # dbt in this process still has the lost catalog attached.
    command = [sys.executable, "-m", "weather.lake", "rebuild"]
    assert subprocess.run(command, check=False).returncode == ExitCode.UNEXPECTED
    assert pipeline.store.get(PUBLISHED_KEY) == published


def test_a_renamed_time_zone_counts_as_the_same(pipeline: Pipeline) -> None:
    pipeline.fill(lookback_window(END, 48), lookback_window(END + HOUR, 48))
    before = tables(pipeline)
    (older, _) = (key for key in pipeline.store.list("raw/") if key.endswith("call-0000.json"))
    body = pipeline.store.get(older) or b""
    assert body.count(b'"Asia/Kolkata"') == 1
    pipeline.store.put(older, body.replace(b'"Asia/Kolkata"', b'"Asia/Calcutta"'))
    assert main(["rebuild"]) == ExitCode.OK
    assert tables(pipeline) == before


def test_hours_that_only_an_earlier_try_received_are_rebuilt(
    pipeline: Pipeline, replay: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second try of a window lacks a removed location, and rejects New York."""
    pipeline.fill(lookback_window(END, 48))
    whole = read_settings(PipelineSettings).weather_locations.read_text(encoding="utf-8")
    fewer = tmp_path / "fewer.yaml"
    fewer.write_text(whole[: whole.index("- id: kolkata")], encoding="utf-8")
    monkeypatch.setenv("WEATHER_LOCATIONS", str(fewer))
    set_faults(replay, "text_value@1")
    try:
        assert pipeline.ingest() == ExitCode.REJECTED
    finally:
        set_faults(replay, "")
    lose_catalog(pipeline)
    assert main(["rebuild"]) == ExitCode.OK
    assert pipeline.rows("select location_id, count(*) from stg_weather group by 1 order by 1") == [
        ("kolkata", 48),
        ("lyon", 48),
        ("new-york", 48),
    ]


def test_an_unreadable_location_does_not_block_others(
    pipeline: Pipeline, replay: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every response for New York has an empty value in an unused field."""

    def spoilt(form: Form) -> Reply:
        response = httpx.post(f"{replay}/v1/forecast", data=form, timeout=TIMEOUT_SECONDS)
        places = form["latitude"].split(",")
        if "40.71" not in places:
            return Reply(response.content)
        parts = response.text.split('"elevation":')
        number = 1 + places.index("40.71")
        parts[number] = re.sub(r"^[^,]+", "", parts[number])
        return Reply('"elevation":'.join(parts).encode())

    with scripted_server(spoilt) as server:
        monkeypatch.setenv("OPEN_METEO_URL", server.url)
        monkeypatch.setenv("OPEN_METEO_ARCHIVE_URL", server.url)
        pipeline.take(lookback_window(END, 48))
        assert pipeline.ingest() == ExitCode.REJECTED
    assert pipeline.transform()
    assert pipeline.publish() == ExitCode.OK
    counts = "select location_id, count(*) from stg_weather group by 1 order by 1"
    assert pipeline.rows(counts) == [("kolkata", 48), ("lyon", 48)]
    assert main(["rebuild"]) == ExitCode.OK
    assert pipeline.rows(counts) == [("kolkata", 48), ("lyon", 48)]


def test_keys_of_an_older_version_are_read(pipeline: Pipeline) -> None:
    """Until November 2026 each try of a window and shard replaced the same object."""
    pipeline.fill(lookback_window(END, 48), lookback_window(END + HOUR, 48))
    before = tables(pipeline)
    for key in [key for key in pipeline.store.list("raw/") if key.endswith("call-0000.json")]:
        _, window, _, _ = key.split("/")
        body = pipeline.store.get(key) or b""
        pipeline.store.put(f"raw/{window}/shard-000-of-001/call-0000.json", body)
        pipeline.store.delete([key])
    assert main(["rebuild"]) == ExitCode.OK
    assert tables(pipeline) == before


def test_an_empty_raw_folder_is_reported_in_one_line(
    pipeline: Pipeline, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    assert main(["rebuild"]) == ExitCode.SETTING
    (line,) = capfd.readouterr().err.splitlines()
    assert "holds no responses" in line


@given(st.sets(windows(), min_size=1))
def test_each_window_is_in_exactly_one_batch(many: set[Window]) -> None:
    batches = monthly_batches(many)
    assert sum(batch.windows for batch in batches) == len(many)
    assert all(one.span.end <= other.span.end for one, other in pairwise(batches))
    for batch in batches:
        within = {window for window in many if Path(window.key).match(batch.pattern)}
        assert len(within) == batch.windows
        assert min(window.start for window in within) == batch.span.start
        assert max(window.end for window in within) == batch.span.end
