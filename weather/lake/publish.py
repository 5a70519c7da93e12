"""Name the snapshot of the lake that readers see, once every test has passed."""

import logging
from datetime import UTC, datetime

import duckdb

from weather.ducklake import attached_lake, current_snapshot_id, lake_id, snapshot_of_readers
from weather.errors import StepError
from weather.lake.lost_hours import refuse_lost_hours
from weather.lake.run_report import run_report
from weather.lake.tested import forget_tests, newest_tested_snapshot
from weather.lake.unfinished import require_whole
from weather.published import (
    MART_KEY,
    PUBLISHED_KEY,
    Published,
    read_published,
    read_source,
)
from weather.settings import LakeSettings
from weather.source import OPEN_METEO
from weather.storage import Store
from weather.window import HOUR, Window

log = logging.getLogger("weather.lake")


def publish(
    settings: LakeSettings, window: Window, *, allow_fewer_hours: bool = False
) -> Published:
    """Write the mart as one plain file, then name the snapshot that it was read from.

    Both are replaced as a whole, the name last: a run killed in between leaves readers with the
    snapshot that they had. The snapshot is the newest that is tested: another run may have written
    rows meanwhile, whose tests have not passed yet.

    Args:
        settings: where the catalog and the store are.
        window: the run's own.
        allow_fewer_hours: publish another lake than the published one, although it has fewer hours.

    Raises:
        StepError: a rebuild has not ended, no new snapshot is tested, the lake is not the published
            one and has fewer hours, another publish was faster, or a store or the catalog fails.
    """
    store = Store(settings)
    require_whole(store)
    before = read_published(store)
    with attached_lake(settings) as lake:
        newest = current_snapshot_id(lake)
        readers = snapshot_of_readers(before, lake)
        if readers is None and not allow_fewer_hours:
            refuse_lost_hours(lake, settings, store, None)
        known = -1 if readers is None else readers
        snapshot_id = newest_tested_snapshot(lake, store, newest, known)
        if snapshot_id != newest:
            log.info(
                "Snapshot %d is published: the rows that were inserted since are not tested yet.",
                snapshot_id,
            )
        write_mart(lake, settings, snapshot_id)
        run = run_report(lake, store, window, published=known, snapshot_id=snapshot_id)
        window_end = _end_of_hours(lake, window, snapshot_id)
        lake_name = lake_id(lake)
    if window_end is None:
        window_end = before.window_end if before and readers is not None else window.start
    published = Published(
        snapshot_id=snapshot_id,
        published_at=datetime.now(UTC),
        window_end=window_end,
        run=run,
        source=read_source(store) or OPEN_METEO,
        lake=lake_name,
    )
    _require_newest(store, published)
    store.put(PUBLISHED_KEY, published.model_dump_json().encode())
    forget_tests(store, keep=(lake_name, snapshot_id))
    return published


def _end_of_hours(
    lake: duckdb.DuckDBPyConnection, window: Window, snapshot_id: int
) -> datetime | None:
    """Return the end of the window's newest hour in a snapshot; None without an hour."""
    row = lake.execute(
        f"SELECT max(hour_timestamp) FROM stg_weather AT (VERSION => {snapshot_id})"  # noqa: S608
        " WHERE hour_timestamp >= ? AND hour_timestamp < ?",
        [window.start.replace(tzinfo=None), window.end.replace(tzinfo=None)],
    ).fetchone()
    assert row is not None
    newest: datetime | None = row[0]
    return newest and newest.replace(tzinfo=UTC) + HOUR


def _require_newest(store: Store, published: Published) -> None:
    """Refuse to take readers back to an older snapshot, after a publish that was faster."""
    now = read_published(store)
    if now and now.lake == published.lake and now.snapshot_id > published.snapshot_id:
        raise StepError(
            f"Another publish has named snapshot {now.snapshot_id} meanwhile, which is newer than "
            f"snapshot {published.snapshot_id}. Readers keep the newer one. Run publish again when "
            "no other run is at work: it writes the mart's plain file again."
        )


def write_mart(lake: duckdb.DuckDBPyConnection, settings: LakeSettings, snapshot_id: int) -> None:
    """Write the mart of a snapshot as one Parquet file, for tools that know no DuckLake."""
    lake.execute(
        f"COPY (FROM daily_weather_stats AT (VERSION => {snapshot_id})"
        " ORDER BY location_id, date)"
        f" TO '{settings.bucket_url}/{MART_KEY}' (FORMAT parquet)"
    )
