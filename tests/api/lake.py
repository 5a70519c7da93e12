"""A lake for one test, with tables by the contract of dbt's models."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import boto3
import duckdb
import yaml

from weather.ducklake import attached_lake
from weather.lake.create import create
from weather.lake.publish import publish
from weather.lake.tested_snapshots import record_passed_tests
from weather.published import PUBLISHED_KEY, Published, require_source
from weather.settings import LakeSettings
from weather.source import Source
from weather.storage import Store
from weather.window import lookback_window

MODELS = Path(__file__).parents[2] / "dbt_project" / "models" / "models.yml"

Row = tuple[
    str, date, float | None, float | None, float | None, float | None, float | None, int, bool
]
"""Row of daily_weather_stats with the columns of INSERT_DAYS."""

INSERT_DAYS = """
    INSERT INTO daily_weather_stats (
        location_id, date, temp_min_c, temp_max_c, temp_avg_c, total_precipitation_mm,
        avg_windspeed_kmh, hours, is_complete
    )
    VALUES """


def contract(model: str) -> list[dict[str, Any]]:
    """Return the columns of a dbt model's contract."""
    models = yaml.safe_load(MODELS.read_text(encoding="utf-8"))["models"]
    (columns,) = (each["columns"] for each in models if each["name"] == model)
    return list(columns)


def a_day(location: str, day: date, temp_max_c: float | None = 9.5) -> Row:
    """Return a complete day."""
    return (location, day, 1.5, temp_max_c, 5.5, 0.4, 12.3, 24, True)


def insert_days(lake: duckdb.DuckDBPyConnection, days: Sequence[Row]) -> None:
    """Insert days into the mart in one statement: each statement is a commit to the catalog."""
    if days:
        row = f"({', '.join('?' * len(days[0]))})"
        lake.execute(INSERT_DAYS + ", ".join([row] * len(days)), list(chain.from_iterable(days)))


class Lake:
    """An empty lake with its tables, in another bucket than other tests' lakes."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.settings = LakeSettings.model_validate(
            {
                name.lower(): value
                for name, value in environment.items()
                if name.lower() in LakeSettings.model_fields
            }
        )
        self.store = Store(self.settings)
        self.window = lookback_window(datetime.now(UTC), 168)

    def create_bucket(self) -> None:
        """Create the bucket."""
        boto3.client(
            "s3",
            endpoint_url=self.settings.aws_endpoint_url,
            aws_access_key_id=self.settings.aws_access_key_id,
            aws_secret_access_key=self.settings.aws_secret_access_key,
            region_name=self.settings.aws_region,
        ).create_bucket(Bucket=self.settings.weather_bucket)

    def create(self) -> None:
        """Create the catalog without tables."""
        create(self.settings)

    def create_tables(self, *days: Row) -> None:
        """Create the tables that the API reads, with days in the mart."""
        with attached_lake(self.settings) as lake:
            for model in ("stg_weather", "daily_weather_stats"):
                columns = ", ".join(
                    f"{column['name']} {column['data_type']}" for column in contract(model)
                )
                lake.execute(f"CREATE TABLE {model} ({columns})")
            insert_days(lake, days)

    def write(self, *days: Row) -> None:
        """Add days to the mart, unpublished."""
        with attached_lake(self.settings) as lake:
            insert_days(lake, days)

    def write_hours(self, location: str, *hours: datetime) -> None:
        """Add hours of a location to stg_weather."""
        moments = [hour.astimezone(UTC).replace(tzinfo=None) for hour in hours]
        with attached_lake(self.settings) as lake:
            lake.execute(
                "INSERT INTO stg_weather (location_id, hour_timestamp, temperature_c, fetched_at)"
                " SELECT ?, moment, 5.5, moment FROM unnest(?::TIMESTAMP[]) AS hours (moment)",
                [location, moments],
            )

    def publish(self) -> Published:
        """Publish the current snapshot, as if dbt's tests had passed."""
        with attached_lake(self.settings) as lake:
            record_passed_tests(lake, self.store)
        return publish(self.settings, self.window)

    def name_source(self, source: Source) -> None:
        """Store the source, as ingest does with the first response."""
        require_source(self.store, source, "a test")

    def write_published_json(self, published: Published) -> None:
        """Write published.json only."""
        self.store.put(PUBLISHED_KEY, published.model_dump_json().encode())
