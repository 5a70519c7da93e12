"""Name the snapshot of the lake that readers see, once every test has passed."""

from datetime import UTC, datetime

import duckdb

from lake_steps.run_report import run_report
from lake_steps.unfinished import require_whole
from weather.lake import attached_lake, current_snapshot_id
from weather.published import (
    MART_KEY,
    PUBLISHED_KEY,
    Published,
    read_published,
    read_source,
)
from weather.settings import LakeSettings
from weather.source import OPEN_METEO
from weather.store import Store
from weather.window import Window


def publish(settings: LakeSettings, window: Window) -> Published:
    """Write the mart as one plain file, then name the snapshot that it was read from.

    Both are replaced as a whole, the name last: a run killed in between leaves readers with the
    snapshot that they had.

    Raises:
        StepError: a rebuild has not ended, or a store or the catalog fails.
    """
    store = Store(settings)
    require_whole(store)
    before = read_published(store)
    with attached_lake(settings) as lake:
        snapshot_id = current_snapshot_id(lake)
        write_mart(lake, settings, snapshot_id)
        run = run_report(lake, store, window, published=before.snapshot_id if before else None)
    published = Published(
        snapshot_id=snapshot_id,
        published_at=datetime.now(UTC),
        window_end=window.end,
        run=run,
        source=read_source(store) or OPEN_METEO,
    )
    store.put(PUBLISHED_KEY, published.model_dump_json().encode())
    return published


def write_mart(lake: duckdb.DuckDBPyConnection, settings: LakeSettings, snapshot_id: int) -> None:
    """Write the mart of a snapshot as one Parquet file, for tools that know no DuckLake."""
    lake.execute(
        f"COPY (FROM daily_weather_stats AT (VERSION => {snapshot_id})"
        " ORDER BY location_id, date)"
        f" TO '{settings.bucket_url}/{MART_KEY}' (FORMAT parquet)"
    )
