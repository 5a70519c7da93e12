"""What a run did: the reports that its steps left in the store, and what the lake itself tells."""

from collections.abc import Iterator
from typing import TypeVar

import duckdb
from pydantic import ValidationError

from weather.ducklake import tables_of
from weather.reports import (
    MODEL_REPORTS,
    ModelReport,
    Report,
    RunReport,
    ShardReport,
    ingest_report_of,
    shard_reports_prefix,
)
from weather.storage import Store
from weather.window import Window

Read = TypeVar("Read", bound=Report)


def run_report(
    lake: duckdb.DuckDBPyConnection,
    store: Store,
    window: Window,
    *,
    published: int,
    snapshot_id: int,
) -> RunReport:
    """What the run of a window did.

    Args:
        lake: the attached lake, with all that the run wrote.
        store: its bucket.
        window: the run's own; reports of another run are no part of it.
        published: the snapshot that readers have seen so far; -1 without one.
        snapshot_id: the snapshot that is about to be published.
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


def _reports(store: Store, prefix: str, kind: type[Read]) -> Iterator[Read]:
    for key in list(store.list(prefix)):
        if not key.endswith(".json") or "/" in key.removeprefix(prefix):
            continue
        try:
            yield kind.model_validate_json(store.get(key) or b"")
        except ValidationError:
            # Written by another version: no reason to keep a good hour from its readers.
            continue


def _values_kept(lake: duckdb.DuckDBPyConnection, window: Window) -> dict[str, int]:
    """Count the window's values that are older than the newest response, by variable."""
    try:
        rows = lake.execute(
            "SELECT variable, count(*) FROM kept_values"
            " WHERE hour_timestamp >= ? AND hour_timestamp < ? GROUP BY variable ORDER BY variable",
            [window.start.replace(tzinfo=None), window.end.replace(tzinfo=None)],
        ).fetchall()
    except duckdb.CatalogException:
        # A lake that no run has written to since the table was introduced.
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
