"""Restore the lake from a backup, and verify the result."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from weather.ducklake import attached_lake
from weather.errors import ExitCode, StepError
from weather.lake.backup import BACKUP_FILE, RESPONSES, Manifest, copy, read_manifest
from weather.lake.backup_storage import BackupStorage
from weather.lake.publish import write_mart
from weather.lake.rebuild_marker import remove_rebuild_marker
from weather.lake.saved_catalog import load_catalog, row_counts, table_files
from weather.lake.tested_snapshots import delete_test_records
from weather.published import PUBLISHED_KEY, Published, read_source
from weather.settings import LakeSettings
from weather.storage import Store

LAKE = (*RESPONSES, "transformed/")


@dataclass(frozen=True)
class Restored:
    """The result of a restore."""

    objects: int
    """Number of objects in the backup."""
    copied: int
    """Number of objects copied now, because the bucket did not have them."""
    rows: dict[str, int]
    """Number of rows by table."""
    published_snapshot_id: int | None
    """Id of the published snapshot; None if the backup has no published snapshot."""


def restore(settings: LakeSettings, source: BackupStorage, *, replace: bool) -> Restored:
    """Copy a backup's objects, replace the catalog in one transaction, then publish.

    No run of the pipeline may be active meanwhile. Existing objects in raw/ and rejected/ stay
    unchanged, also those that the backup lacks. `upkeep` deletes table files that are not used.

    Raises:
        StepError: the backup is missing or lacks an object, the lake is not empty and `replace` is
            not given, a store or the catalog fails, the restored rows differ, or the backup holds
            data of another source.
    """
    store = Store(settings)
    with TemporaryDirectory(prefix="weather-restore-") as folder:
        file = Path(folder) / BACKUP_FILE
        manifest = _manifest(source, file)
        files = table_files(file)
        if not replace:
            _require_empty(settings, store)
        _require_same_source(store, source)
        present = {found.key: found for prefix in LAKE for found in store.objects(prefix)}
        # Existing responses are not replaced: ingest stores a response before it is validated and
        # again afterwards, and a backup may have copied the first version.
        wanted = [
            each
            for each in manifest.objects.values()
            if not (each.key in present and each.key.startswith(RESPONSES))
        ]
        missing = [each for each in wanted if present.get(each.key) != each]
        sizes = {each.key: each.size for each in [*wanted, *copy(source, store, missing)]}
        _require_sizes(store, sizes | files)
        # Snapshots after the backup's will have the same numbers again.
        delete_test_records(store)
        load_catalog(settings, file)
    rows = row_counts(settings)
    if rows != manifest.rows:
        raise StepError(
            f"The restored tables have {rows} rows, the backup's tables {manifest.rows}. Nothing "
            "was published. Run restore again with --replace.",
        )
    remove_rebuild_marker(store)
    return Restored(
        objects=len(manifest.objects),
        copied=len(missing),
        rows=rows,
        published_snapshot_id=_publish(settings, store, manifest.published),
    )


def _manifest(source: BackupStorage, file: Path) -> Manifest:
    body = source.get(BACKUP_FILE)
    if body is None:
        raise StepError(
            f"{source.name} holds no backup. Name the folder or bucket that backup wrote to.",
            ExitCode.SETTING,
        )
    file.write_bytes(body)
    manifest = read_manifest(file)
    kept = source.sizes()
    for each in manifest.objects.values():
        # A later, killed backup may have copied a newer version of a response.
        any_size = each.key.startswith(RESPONSES)
        if each.key not in kept or not (any_size or kept[each.key] == each.size):
            raise StepError(
                f"The backup in {source.name} lacks {each.key} with {each.size} bytes. Nothing was "
                "changed. Restore another backup."
            )
    return manifest


def _require_empty(settings: LakeSettings, store: Store) -> None:
    with attached_lake(settings, create=True) as lake:
        has_tables = lake.execute(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = 'lake' LIMIT 1"
        ).fetchone()
    if has_tables or any(next(store.list(prefix), None) for prefix in LAKE):
        raise StepError(
            f"The lake in bucket '{store.bucket}' is not empty. Nothing was changed. To replace "
            "it by the backup, use --replace.",
            ExitCode.SETTING,
        )


def _require_same_source(store: Store, source: BackupStorage) -> None:
    ours, theirs = read_source(store), read_source(source)
    if ours and theirs and ours.name != theirs.name and (ours.replay or theirs.replay):
        raise StepError(
            f"The backup in {source.name} holds data of another source ({theirs.name}) than bucket "
            f"'{store.bucket}' ({ours.name}), and raw/ must not hold both. Nothing was changed. "
            "Restore to an empty bucket (WEATHER_BUCKET) and another LAKE_CATALOG.",
            ExitCode.SETTING,
        )


def _require_sizes(store: Store, sizes: dict[str, int]) -> None:
    present = {found.key: found.size for prefix in LAKE for found in store.objects(prefix)}
    for key, size in sizes.items():
        if present.get(key) != size:
            raise StepError(
                f"{key} is missing in bucket '{store.bucket}', or does not have {size} bytes. The "
                "catalog was not changed. Run restore again."
            )


def _publish(settings: LakeSettings, store: Store, body: bytes | None) -> int | None:
    if body is None:
        store.delete([PUBLISHED_KEY])
        return None
    published = Published.model_validate_json(body)
    with attached_lake(settings) as lake:
        write_mart(lake, settings, published.snapshot_id)
    store.put(PUBLISHED_KEY, body)
    return published.snapshot_id
