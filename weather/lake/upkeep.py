"""Maintain the lake: compact small files, expire old snapshots, delete unused files."""

from dataclasses import dataclass
from datetime import timedelta

import duckdb

from weather.ducklake import attached_lake, snapshot_of_readers
from weather.published import read_published
from weather.settings import LakeSettings
from weather.storage import Store

SNAPSHOT_RETENTION = timedelta(days=7)
TABLE_FILES = "transformed/main/"
GRACE = timedelta(days=1)
"""Age at which unused files are deleted. Queries and transactions may use younger files."""


@dataclass(frozen=True)
class Maintenance:
    """The result of one maintenance run."""

    expired_snapshots: int
    deleted_files: int


def maintain(
    settings: LakeSettings, *, kept: timedelta = SNAPSHOT_RETENTION, grace: timedelta = GRACE
) -> Maintenance:
    """Compact files, expire snapshots except the published one, and delete unused files.

    Must not run while another step writes to the lake.
    """
    store = Store(settings)
    published = read_published(store)
    with attached_lake(settings) as lake:
        lake.execute("CALL ducklake_rewrite_data_files('lake', delete_threshold => 0.5)")
        lake.execute("CALL ducklake_merge_adjacent_files('lake')")
        # publish needs the published snapshot and newer ones.
        expired = _expire(lake, older_than=kept, before=snapshot_of_readers(published, lake) or 0)
        deleted = lake.execute(
            f"CALL ducklake_cleanup_old_files('lake', older_than => {_ago(grace)})"
        ).fetchall()
        orphans = _orphans(lake, settings, older_than=grace)
    store.delete(orphans)
    return Maintenance(expired_snapshots=expired, deleted_files=len(deleted) + len(orphans))


def _expire(lake: duckdb.DuckDBPyConnection, *, older_than: timedelta, before: int) -> int:
    old = [
        snapshot_id
        for (snapshot_id,) in lake.execute(
            "SELECT snapshot_id FROM lake.snapshots() WHERE snapshot_time < now() - ?", [older_than]
        ).fetchall()
        if snapshot_id < before
    ]
    if old:
        lake.execute(f"CALL ducklake_expire_snapshots('lake', versions => {old})")
    return len(old)


def _orphans(
    lake: duckdb.DuckDBPyConnection, settings: LakeSettings, *, older_than: timedelta
) -> list[str]:
    """Return the keys of files that a killed run wrote and never committed.

    DuckLake lists every file in its data path that is not in the catalog, such as the mart's plain
    file. Only table files are deleted.
    """
    files = lake.execute(
        "CALL ducklake_delete_orphaned_files("
        f"'lake', older_than => {_ago(older_than)}, dry_run => true)"
    ).fetchall()
    keys = [path.removeprefix(f"{settings.bucket_url}/") for (path,) in files]
    return [key for key in keys if key.startswith(TABLE_FILES)]


def _ago(duration: timedelta) -> str:
    return f"now() - INTERVAL {int(duration.total_seconds())} SECOND"
