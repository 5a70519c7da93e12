"""Loading a snapshot into memory."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from api.data.lake import lake_reader
from api.data.snapshot import HOURS_IN_MEMORY, Snapshot, load_snapshot
from local.store import S3Server
from tests.api.conftest import MakeLake
from tests.api.lake import Lake, a_day
from weather.ducklake import attached_lake
from weather.errors import StepError
from weather.window import HOUR, first_hour_from

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
NEWEST = first_hour_from(datetime.now(UTC)) - HOUR
"""The newest hour of Lyon, whose data are current."""
LATE = NEWEST - 10 * DAY
"""The newest hour of New York."""
OLD = NEWEST - 40 * DAY
BACKFILL_ENDS = NEWEST - 50 * DAY


@pytest.fixture(scope="module")
def lake(make_lake: MakeLake, s3_server: S3Server) -> Lake:
    """A lake with new and old hours and the days of two locations."""
    hours = {"lyon": [NEWEST, NEWEST - 14 * DAY, OLD], "new-york": [LATE, OLD]}
    rows = [a_day(location, hour.date()) for location, each in hours.items() for hour in each]
    lake = make_lake(s3_server, rows)
    for location, each in hours.items():
        lake.write_hours(location, *each)
    return lake


def mart(lake: Lake, window_end: datetime) -> Snapshot:
    """Load the snapshot that a run with this window's end has published."""
    published = lake.publish().model_copy(update={"window_end": window_end})
    return load_snapshot(lake.settings, published)


@pytest.mark.parametrize("window_end", [NEWEST + HOUR, BACKFILL_ENDS])
def test_only_the_newest_hours_are_in_memory(lake: Lake, window_end: datetime) -> None:
    held = mart(lake, window_end)
    assert held.hours_since == NEWEST + HOUR - HOURS_IN_MEMORY
    assert [(row["location"], row["hour_timestamp"]) for row in held.hours.rows.to_pylist()] == [
        ("lyon", NEWEST),
        ("new-york", LATE),
        ("lyon", NEWEST - 14 * DAY),
    ]


@pytest.mark.parametrize("window_end", [NEWEST + HOUR, BACKFILL_ENDS])
def test_a_newest_hour_older_than_a_week_is_its_midnight(lake: Lake, window_end: datetime) -> None:
    assert mart(lake, window_end).newest_hours == {
        "lyon": NEWEST,
        "new-york": LATE.replace(hour=0),
    }


def test_a_lake_without_days_is_loaded(make_lake: MakeLake, s3_server: S3Server) -> None:
    lake = make_lake(s3_server, [a_day("lyon", NEWEST.date())])
    with attached_lake(lake.settings) as tables:
        tables.execute("DELETE FROM daily_weather_stats")
    held = mart(lake, BACKFILL_ENDS)
    assert held.newest_hours == {}
    assert held.hours_since == BACKFILL_ENDS - HOURS_IN_MEMORY


def test_a_newest_hour_before_the_lookback_is_found(
    make_lake: MakeLake, s3_server: S3Server
) -> None:
    newest = datetime(2026, 1, 15, 12, tzinfo=UTC)
    # Older than the lookback, which begins in the middle of the day.
    early = datetime(2026, 1, 8, tzinfo=UTC)
    lake = make_lake(s3_server, [a_day("kolkata", early.date()), a_day("lyon", newest.date())])
    lake.write_hours("kolkata", early)
    lake.write_hours("lyon", newest)
    assert mart(lake, newest + HOUR).newest_hours == {"lyon": newest, "kolkata": early}


def test_another_lakes_snapshot_with_the_same_id_is_rejected(lake: Lake) -> None:
    published = lake.publish()
    load_snapshot(lake.settings, published)
    # Older versions published no lake id.
    load_snapshot(lake.settings, published.model_copy(update={"lake": None}))
    with pytest.raises(StepError, match="of the lake another, but LAKE_CATALOG is the catalog of"):
        load_snapshot(lake.settings, published.model_copy(update={"lake": "another"}))


def test_each_process_has_its_own_temporary_folder(lake: Lake) -> None:
    """Processes with one folder would overwrite each other's files."""
    published = lake.publish()
    with attached_lake(lake.settings) as tables, lake_reader(tables, published) as snapshot:
        ((folder,),) = snapshot.rows("SELECT current_setting('temp_directory')")
    assert str(folder).endswith(f"duckdb-{os.getpid()}")
