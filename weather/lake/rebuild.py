"""Make the whole lake again from the answers in raw/, and from nothing else."""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from weather.ducklake import attached_lake, snapshot_of_readers
from weather.errors import ExitCode, StepError
from weather.lake.catalogs import load_catalog, row_counts, save_catalog
from weather.lake.create import create
from weather.lake.lost_hours import refuse_lost_hours
from weather.lake.publish import publish
from weather.lake.tested import forget_tests
from weather.lake.unfinished import is_unfinished, mark_unfinished, mark_whole
from weather.published import PUBLISHED_KEY, read_published
from weather.settings import LakeSettings
from weather.storage import Store
from weather.window import Window, window_of_key

DBT_PROJECT = "dbt_project"
"""Beside the folder that the step runs in, unless DBT_PROFILES_DIR names it."""

log = logging.getLogger("weather.lake")


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild has done."""

    windows: int
    """Read from raw/."""
    rows: dict[str, int]
    """By table."""
    published_snapshot_id: int


@dataclass(frozen=True)
class Batch:
    """Windows that dbt reads at once."""

    pattern: str
    """Matches their keys, and those of no other windows in raw/."""
    windows: int
    span: Window
    """From the first window's start to the last one's end."""


def rebuild(settings: LakeSettings, *, allow_fewer_hours: bool = False) -> Rebuilt:
    """Build every table from raw/, test all, then publish; readers see the old lake until then.

    Must not run beside a run of the pipeline: if the rebuild fails, the rows of that run are lost.
    A rebuild that fails leaves the lake as it was; one that is killed leaves a part of it, which
    cannot be published until another one ends well.

    Args:
        settings: where the catalog and the store are.
        allow_fewer_hours: publish although readers have hours with a value that raw/ lacks.

    Raises:
        StepError: raw/ holds no responses, or not all hours that readers have; or dbt, a store or
            the catalog fails.
    """
    store = Store(settings)
    batches = batches_of(_windows(store))
    if not batches:
        raise StepError(
            f"raw/ in bucket '{store.bucket}' holds no answers. Nothing was changed; look at "
            "WEATHER_BUCKET, or restore a backup.",
            ExitCode.SETTING,
        )
    span = _span(batch.span for batch in batches)
    create(settings)
    with TemporaryDirectory(prefix="weather-rebuild-") as folder:
        saved = Path(folder) / "lake.duckdb"
        save_catalog(settings, saved)
        was_unfinished, was_published = is_unfinished(store), store.get(PUBLISHED_KEY)
        mark_unfinished(store)
        try:
            readers = _snapshot_of_readers(settings, store)
            for number, batch in enumerate(batches):
                log.info("windows that end in %s: %d", f"{batch.span.end:%Y-%m}", batch.windows)
                anew = [] if number else ["--full-refresh"]
                _dbt("run", *anew, span=batch.span, raw_windows=batch.pattern)
            _dbt("test", "--exclude", "test_type:unit", span=span)
            if not allow_fewer_hours:
                with attached_lake(settings) as lake:
                    refuse_lost_hours(lake, settings, store, readers)
        except BaseException:
            # The numbers of these snapshots will be given again.
            forget_tests(store)
            load_catalog(settings, saved)
            if was_published is not None:
                store.put(PUBLISHED_KEY, was_published)
            if not was_unfinished:
                mark_whole(store)
            raise
    # Before publishing, which may fail: the next run may publish what has passed every test.
    mark_whole(store)
    published = publish(settings, span, allow_fewer_hours=True)
    return Rebuilt(
        windows=sum(batch.windows for batch in batches),
        rows=row_counts(settings),
        published_snapshot_id=published.snapshot_id,
    )


def batches_of(windows: Iterable[Window]) -> list[Batch]:
    """The windows by the month that they end in: a month fits into memory, ten years may not."""
    ordered = sorted(windows, key=lambda window: window.end)
    return [
        Batch(pattern=f"*_{month}*", windows=len(of_month), span=_span(of_month))
        for month, group in groupby(ordered, key=lambda window: f"{window.end:%Y%m}")
        if (of_month := list(group))
    ]


def _windows(store: Store) -> set[Window]:
    """The windows with answers; one whose calls all failed has left nothing but a report."""
    parts = [key.split("/") for key in store.list("raw/")]
    return {window_of_key(key) for _, key, *rest in parts if len(rest) > 1}


def _span(windows: Iterable[Window]) -> Window:
    starts, ends = zip(*((window.start, window.end) for window in windows), strict=True)
    return Window(min(starts), max(ends))


def _snapshot_of_readers(settings: LakeSettings, store: Store) -> int | None:
    """The published snapshot of this lake, which can still be read while tables are built again.

    If the published catalog is lost, there is none. An older version's object does not name its
    lake, and is deleted: the number may come again here, and tests skip the rows up to it.
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
    profile = ["--profile", "weather", "--target", "lake"]
    folders = ["--project-dir", project, "--profiles-dir", project]
    result = dbtRunner().invoke(["--quiet", command, *arguments, *folders, *profile])
    if not result.success:
        raise StepError(
            f"dbt {command} failed; its lines above say why. The lake is as it was, and so is what "
            "readers see. Correct what failed, then run rebuild again."
        )
