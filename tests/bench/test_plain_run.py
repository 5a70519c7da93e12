"""The plain dbt project builds the same mart."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet
import pytest

from bench.lake import Lake
from bench.pipeline import PlainRun
from bench.sandbox import Sandbox
from local.store import S3Server
from weather.duckdb_extensions import install_extensions
from weather.published import MART_KEY
from weather.window import Window

pytestmark = pytest.mark.slow

# Overlapping windows with a 23-hour day and one absurd wind.
WINDOWS = [
    Window(datetime(2026, 2, 11, 5, tzinfo=UTC), datetime(2026, 3, 10, 5, tzinfo=UTC)),
    Window(datetime(2026, 2, 11, 6, tzinfo=UTC), datetime(2026, 3, 10, 6, tzinfo=UTC)),
]


def test_the_plain_run_builds_the_same_mart(
    s3_server: S3Server, replay: str, tmp_path: Path
) -> None:
    sandbox = Sandbox(tmp_path, s3_server, replay)
    install_extensions(tmp_path / "duckdb")
    lake = Lake(sandbox, "same-mart")
    lake.ingest_here(WINDOWS)
    for window in WINDOWS:
        lake.build_models_together(window)
        lake.publish(window)
    plain = PlainRun(sandbox, lake)
    plain.transform()
    ours = rows_of_mart(lake)
    assert len(ours) > 3 * 27
    assert rows_of(plain) == ours


def rows_of_mart(lake: Lake) -> list[tuple[Any, ...]]:
    body = lake.store.get(MART_KEY)
    assert body is not None
    return [tuple(row.values()) for row in pyarrow.parquet.read_table(BytesIO(body)).to_pylist()]


def rows_of(plain: PlainRun) -> list[tuple[Any, ...]]:
    with duckdb.connect(plain.database, read_only=True) as database:
        return database.execute(
            "SELECT * FROM daily_weather_stats ORDER BY location_id, date"
        ).fetchall()
