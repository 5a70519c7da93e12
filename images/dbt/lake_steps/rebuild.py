"""Make the whole lake again from the answers in raw/, and from nothing else."""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from lake_steps.catalogs import load_catalog, row_counts, save_catalog
from lake_steps.create import create
from lake_steps.publish import publish
from lake_steps.unfinished import is_unfinished, mark_unfinished, mark_whole
from weather.exit_codes import ExitCode, StepError
from weather.lake import attached_lake
from weather.published import PUBLISHED_KEY, read_published
from weather.settings import LakeSettings
from weather.store import Store
from weather.window import Window, window_of_key

DBT_PROJECT = "dbt_project"
"""Beside the folder that the step runs in, unless DBT_PROFILES_DIR names it."""

log = logging.getLogger("lake_steps")


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


def rebuild(settings: LakeSettings) -> Rebuilt:
    """Build every table anew, test all of it, then publish; readers see the old lake until then.

    Must not run beside a run of the pipeline. A rebuild that fails leaves the lake as it was; one
    that is killed leaves a part of it, which nobody can publish until another one ends well.

    Raises:
        StepError: raw/ holds no answers, dbt fails, or a store or the catalog does.
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
            _forget_another_lake(settings, store)
            for number, batch in enumerate(batches):
                log.info("windows that end in %s: %d", f"{batch.span.end:%Y-%m}", batch.windows)
                anew = [] if number else ["--full-refresh"]
                _dbt("run", *anew, span=batch.span, raw_windows=batch.pattern)
            _dbt("test", "--exclude", "test_type:unit", span=span)
        except BaseException:
            load_catalog(settings, saved)
            if was_published is not None:
                store.put(PUBLISHED_KEY, was_published)
            if not was_unfinished:
                mark_whole(store)
            raise
    # Before publishing, which may fail: the next run may publish what has passed every test.
    mark_whole(store)
    published = publish(settings, span)
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


def _forget_another_lake(settings: LakeSettings, store: Store) -> None:
    """Take back what was published of a catalog that is lost: the tests skip what readers know."""
    published = read_published(store)
    with attached_lake(settings) as lake:
        known = lake.execute("SELECT snapshot_id FROM lake.snapshots()").fetchall()
    if published and (published.snapshot_id,) not in known:
        store.delete([PUBLISHED_KEY])


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
            "readers see. Mend what failed, then run rebuild again."
        )
