"""Snapshots with missing or additional columns."""

from datetime import UTC, datetime, timedelta

import pytest

from api.data.older_hours import OlderHours
from api.data.row_models import DailyWeather, HourlyWeather
from api.data.snapshot import load_snapshot
from local.store import S3Server
from tests.api.conftest import MakeLake
from tests.api.lake import Lake, a_day
from weather.ducklake import attached_lake
from weather.window import HOUR, first_hour_from

pytestmark = pytest.mark.slow

NEWEST = first_hour_from(datetime.now(UTC)) - HOUR
OLD = NEWEST - timedelta(days=60)


@pytest.fixture
def lake(make_lake: MakeLake, s3_server: S3Server) -> Lake:
    """A lake without wind, and with an unknown column."""
    lake = make_lake(s3_server, [a_day("lyon", hour.date()) for hour in (NEWEST, OLD)])
    lake.write_hours("lyon", NEWEST, OLD)
    with attached_lake(lake.settings) as tables:
        tables.execute("ALTER TABLE daily_weather_stats DROP COLUMN avg_windspeed_kmh")
        tables.execute("ALTER TABLE daily_weather_stats ADD COLUMN avg_humidity_percent DOUBLE")
        tables.execute("ALTER TABLE stg_weather DROP COLUMN windspeed_kmh")
        tables.execute("ALTER TABLE stg_weather ADD COLUMN humidity_percent DOUBLE DEFAULT 81.0")
    return lake


def test_missing_columns_are_null_and_unknown_ones_ignored(lake: Lake) -> None:
    published = lake.publish()
    held = load_snapshot(lake.settings, published)
    for rows in (held.days.rows, held.months.rows, held.years.rows):
        assert set(rows.column("avg_windspeed_kmh").to_pylist()) == {None}
        assert set(rows.column("temp_max_c").to_pylist()) == {9.5}
    assert held.days.rows.schema.names == list(DailyWeather.model_fields)
    older = OlderHours(lake.settings).read(published, "lyon", OLD, OLD + HOUR)
    for rows, hour in ((held.hours.rows, NEWEST), (older.rows, OLD)):
        assert rows.schema.names == list(HourlyWeather.model_fields)
        (row,) = rows.to_pylist()
        assert (row["hour_timestamp"], row["windspeed_kmh"]) == (hour, None)
        assert row["temperature_c"] == 5.5


def test_an_older_snapshot_is_served_after_a_column_is_added(lake: Lake) -> None:
    """A run that adds the column may write while the API reads."""
    published = lake.publish()
    with attached_lake(lake.settings) as tables:
        tables.execute("ALTER TABLE daily_weather_stats ADD COLUMN avg_windspeed_kmh DOUBLE")
        tables.execute("ALTER TABLE stg_weather ADD COLUMN windspeed_kmh DOUBLE")
    held = load_snapshot(lake.settings, published)
    assert held.days.rows.column("avg_windspeed_kmh").to_pylist() == [None, None]
    assert held.hours.rows.column("windspeed_kmh").to_pylist() == [None]
    older = OlderHours(lake.settings).read(published, "lyon", OLD, OLD + HOUR)
    assert older.rows.column("windspeed_kmh").to_pylist() == [None]
