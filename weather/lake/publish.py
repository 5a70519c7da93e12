"""Publish the newest tested snapshot, with a report of the run."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TypeVar

import duckdb
from pydantic import ValidationError

from weather.ducklake import (
    attached_lake,
    current_snapshot_id,
    lake_id,
    snapshot_of_readers,
    tables_of,
)
from weather.errors import StepError
from weather.lake.lost_hours import require_all_hours
from weather.lake.rebuild_marker import require_no_rebuild
from weather.lake.tested_snapshots import delete_test_records, newest_tested_snapshot
from weather.published import (
    MART_KEY,
    PUBLISHED_KEY,
    Published,
    read_published,
    read_source,
)
from weather.reports import (
    MODEL_REPORTS,
    ModelReport,
    Report,
    RunReport,
    ShardReport,
    ingest_report_of,
    shard_reports_prefix,
)
from weather.settings import LakeSettings
from weather.storage import Store
from weather.window import HOUR, Window

AnyReport = TypeVar("AnyReport", bound=Report)

log = logging.getLogger("weather.lake")


def publish(
    settings: LakeSettings, window: Window, *, allow_fewer_hours: bool = False
) -> Published:
    """Write the mart as one Parquet file, then `published.json` with the snapshot's id.

    Both objects are replaced as a whole, so a killed run leaves readers with the previous snapshot.
    Another run may have written rows meanwhile, so the newest tested snapshot is published, which
    may not be the newest one.

    Args:
        settings: settings of catalog and store.
        window: the run's window.
        allow_fewer_hours: publish another lake than the published one even if it has fewer hours.

    Raises:
        StepError: a rebuild has not ended, no new snapshot is tested, another lake is published
            and has more hours, another run has published a newer snapshot, or a store fails.
    """
    store = Store(settings)
    require_no_rebuild(store)
    before = read_published(store)
    with attached_lake(settings) as lake:
        newest = current_snapshot_id(lake)
        readers = snapshot_of_readers(before, lake)
        if readers is None and not allow_fewer_hours:
            require_all_hours(lake, settings, store, None)
        known = -1 if readers is None else readers
        snapshot_id = newest_tested_snapshot(lake, store, newest, known)
        if snapshot_id != newest:
            log.info(
                "Publishing snapshot %d: rows inserted since then are not tested yet.", snapshot_id
            )
        write_mart(lake, settings, snapshot_id)
        run = build_run_report(lake, store, window, published=known, snapshot_id=snapshot_id)
        window_end = _end_of_hours(lake, window, snapshot_id)
        lake_name = lake_id(lake)
    if window_end is None:
        window_end = before.window_end if before and readers is not None else window.start
    published = Published(
        snapshot_id=snapshot_id,
        published_at=datetime.now(UTC),
        window_end=window_end,
        run=run,
        source=read_source(store),
        lake=lake_name,
    )
    _require_newest(store, published)
    store.put(PUBLISHED_KEY, published.model_dump_json().encode())
    delete_test_records(store, keep=(lake_name, snapshot_id))
    return published


def write_mart(lake: duckdb.DuckDBPyConnection, settings: LakeSettings, snapshot_id: int) -> None:
    """Write a snapshot's mart as one Parquet file, for tools without DuckLake."""
    lake.execute(
        f"COPY (FROM daily_weather_stats AT (VERSION => {snapshot_id})"
        " ORDER BY location_id, date)"
        f" TO '{settings.bucket_url}/{MART_KEY}' (FORMAT parquet)"
    )


def build_run_report(
    lake: duckdb.DuckDBPyConnection,
    store: Store,
    window: Window,
    *,
    published: int,
    snapshot_id: int,
) -> RunReport:
    """Combine the reports that ingest and dbt stored with counts of the lake.

    Args:
        lake: the attached lake.
        store: the lake's bucket.
        window: the run's window; reports of other windows are left out.
        published: the snapshot published before; -1 without one.
        snapshot_id: the snapshot to publish.
    """
    return RunReport(
        window_start=window.start,
        ingest=ingest_report_of(list(_reports(store, shard_reports_prefix(window), ShardReport))),
        values_kept=_values_kept(lake, window),
        rows_written=_rows_written(lake, since=published, until=snapshot_id),
        tests={
            report.model: report.tests
            for report in _reports(store, MODEL_REPORTS, ModelReport)
            if (report.window_start, report.window_end) == (window.start, window.end)
        },
    )


def _end_of_hours(
    lake: duckdb.DuckDBPyConnection, window: Window, snapshot_id: int
) -> datetime | None:
    """Return the end of the window's newest hour in a snapshot, or None without an hour."""
    row = lake.execute(
        f"SELECT max(hour_timestamp) FROM stg_weather AT (VERSION => {snapshot_id})"  # noqa: S608
        " WHERE hour_timestamp >= ? AND hour_timestamp < ?",
        _without_zone(window),
    ).fetchone()
    assert row is not None
    newest: datetime | None = row[0]
    return newest and newest.replace(tzinfo=UTC) + HOUR


def _require_newest(store: Store, published: Published) -> None:
    """Fail if another run has published a newer snapshot meanwhile."""
    now = read_published(store)
    if now and now.lake == published.lake and now.snapshot_id > published.snapshot_id:
        raise StepError(
            f"Another run has published snapshot {now.snapshot_id} meanwhile, which is newer than "
            f"snapshot {published.snapshot_id}, so readers keep it. When no other run is active, "
            "run publish again: the mart's plain file may be older than that snapshot."
        )


def _reports(store: Store, prefix: str, kind: type[AnyReport]) -> Iterator[AnyReport]:
    for key in list(store.list(prefix)):
        if not key.endswith(".json") or "/" in key.removeprefix(prefix):
            continue
        try:
            yield kind.model_validate_json(store.get(key) or b"")
        except ValidationError:
            # A report of another version must not hold back tested hours.
            continue


def _values_kept(lake: duckdb.DuckDBPyConnection, window: Window) -> dict[str, int]:
    """Count the window's values that newer responses lack, by variable."""
    try:
        rows = lake.execute(
            "SELECT variable, count(*) FROM kept_values"
            " WHERE hour_timestamp >= ? AND hour_timestamp < ? GROUP BY variable ORDER BY variable",
            _without_zone(window),
        ).fetchall()
    except duckdb.CatalogException:
        # The first run of this version has not written to the lake yet.
        return {}
    return dict(rows)


def _rows_written(lake: duckdb.DuckDBPyConnection, *, since: int, until: int) -> dict[str, int]:
    counts = {}
    for table in tables_of(lake):
        row = lake.execute(
            f"SELECT count(*) FROM {table} AT (VERSION => {until})"  # noqa: S608 (the lake's names)
            " WHERE snapshot_id > ?",
            [since],
        ).fetchone()
        assert row is not None
        counts[table] = int(row[0])
    return counts


def _without_zone(window: Window) -> list[datetime]:
    """Return the window's start and end as the lake stores times: in UTC, without a zone."""
    return [window.start.replace(tzinfo=None), window.end.replace(tzinfo=None)]
