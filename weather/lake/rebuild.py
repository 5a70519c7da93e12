"""Rebuild the lake from the responses in raw/ alone."""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from weather.dbt_environment import PROFILE
from weather.ducklake import attached_lake, snapshot_of_readers
from weather.errors import ExitCode, StepError
from weather.lake.create import create
from weather.lake.lost_hours import require_all_hours
from weather.lake.publish import publish
from weather.lake.rebuild_marker import (
    has_rebuild_marker,
    remove_rebuild_marker,
    set_rebuild_marker,
)
from weather.lake.saved_catalog import load_catalog, row_counts, save_catalog
from weather.lake.tested_snapshots import delete_test_records
from weather.published import PUBLISHED_KEY, read_published
from weather.settings import LakeSettings
from weather.storage import Store
from weather.window import Window, window_of_key

DBT_PROJECT = "dbt_project"
"""Path of the dbt project without DBT_PROFILES_DIR, relative to the working directory."""

log = logging.getLogger("weather.lake")


@dataclass(frozen=True)
class Rebuilt:
    """The result of a rebuild."""

    windows: int
    """Number of windows read from raw/."""
    rows: dict[str, int]
    """Number of rows by table."""
    published_snapshot_id: int


@dataclass(frozen=True)
class Batch:
    """Windows that dbt reads in one invocation."""

    pattern: str
    """Glob pattern of the windows' keys in raw/."""
    windows: int
    span: Window
    """Window from the first start to the last end."""


def rebuild(settings: LakeSettings, *, allow_fewer_hours: bool = False) -> Rebuilt:
    """Build every table from raw/, run all tests, then publish.

    Readers see the previous snapshot until then. No run of the pipeline may be active meanwhile,
    because a failed rebuild restores the catalog and so loses that run's rows. A killed rebuild
    leaves incomplete tables, which the marker keeps from being published.

    Args:
        settings: settings of catalog and store.
        allow_fewer_hours: publish even if readers lose hours with values.

    Raises:
        StepError: raw/ holds no responses or lacks published hours, or dbt, a store or the catalog
            fails.
    """
    store = Store(settings)
    batches = monthly_batches(_windows(store))
    if not batches:
        raise StepError(
            f"raw/ in bucket '{store.bucket}' holds no responses. Nothing was changed. Check "
            "WEATHER_BUCKET, or restore a backup.",
            ExitCode.SETTING,
        )
    span = _span(batch.span for batch in batches)
    create(settings)
    with TemporaryDirectory(prefix="weather-rebuild-") as folder:
        saved = Path(folder) / "lake.duckdb"
        save_catalog(settings, saved)
        had_marker, was_published = has_rebuild_marker(store), store.get(PUBLISHED_KEY)
        set_rebuild_marker(store)
        try:
            readers = _snapshot_of_readers(settings, store)
            for number, batch in enumerate(batches):
                log.info("windows that end in %s: %d", f"{batch.span.end:%Y-%m}", batch.windows)
                options = [] if number else ["--full-refresh"]
                _dbt("run", *options, span=batch.span, raw_windows=batch.pattern)
            _dbt("test", "--exclude", "test_type:unit", span=span)
            if not allow_fewer_hours:
                with attached_lake(settings) as lake:
                    require_all_hours(lake, settings, store, readers)
        except BaseException:
            # New snapshots will have the same numbers.
            delete_test_records(store)
            load_catalog(settings, saved)
            if was_published is not None:
                store.put(PUBLISHED_KEY, was_published)
            if not had_marker:
                remove_rebuild_marker(store)
            raise
    # Removed first: if publishing fails, the next run may publish the tested tables.
    remove_rebuild_marker(store)
    published = publish(settings, span, allow_fewer_hours=True)
    return Rebuilt(
        windows=sum(batch.windows for batch in batches),
        rows=row_counts(settings),
        published_snapshot_id=published.snapshot_id,
    )


def monthly_batches(windows: Iterable[Window]) -> list[Batch]:
    """Group windows by the month of their end: a month fits into memory, ten years may not."""
    ordered = sorted(windows, key=lambda window: window.end)
    return [
        Batch(pattern=f"*_{month}*", windows=len(of_month), span=_span(of_month))
        for month, group in groupby(ordered, key=lambda window: f"{window.end:%Y%m}")
        if (of_month := list(group))
    ]


def _windows(store: Store) -> set[Window]:
    """List the windows that have responses. A window may have reports only."""
    parts = [key.split("/") for key in store.list("raw/")]
    return {window_of_key(key) for _, key, *rest in parts if len(rest) > 1}


def _span(windows: Iterable[Window]) -> Window:
    starts, ends = zip(*((window.start, window.end) for window in windows), strict=True)
    return Window(min(starts), max(ends))


def _snapshot_of_readers(settings: LakeSettings, store: Store) -> int | None:
    """Return the published snapshot of this lake, or None if the published catalog is lost.

    An object of an older version does not name its lake. It is deleted if its snapshot is not in
    this lake, because tests skip the rows up to that number.
    """
    published = read_published(store)
    with attached_lake(settings) as lake:
        snapshot_id = snapshot_of_readers(published, lake)
    if published and published.lake is None and snapshot_id is None:
        store.delete([PUBLISHED_KEY])
    return snapshot_id


def _dbt(command: str, *arguments: str, span: Window, raw_windows: str = "") -> None:
    from dbt.cli.main import dbtRunner

    os.environ |= {
        "WEATHER_WINDOW_START": span.start.isoformat(),
        "WEATHER_WINDOW_END": span.end.isoformat(),
        "WEATHER_RAW_WINDOWS": raw_windows,
    }
    project = os.environ.get("DBT_PROFILES_DIR", DBT_PROJECT)
    folders = ["--project-dir", project, "--profiles-dir", project]
    result = dbtRunner().invoke(["--quiet", command, *arguments, *folders, *PROFILE])
    if not result.success:
        raise StepError(
            f"dbt {command} failed, see its output above. The lake and the published snapshot are "
            "unchanged. Correct the error, then run rebuild again."
        )
