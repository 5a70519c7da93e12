"""Back up the lake: its catalog and its objects, consistent with each other.

A backup is a copy of the objects and the file `lake.duckdb`: the saved catalog, and the manifest of
the objects. That file is replaced last.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from weather.errors import ExitCode, StepError
from weather.lake.backup_storage import BackupStorage
from weather.lake.rebuild_marker import require_no_rebuild
from weather.lake.saved_catalog import row_counts, save_catalog, saved_lake_id, table_files
from weather.lake.upkeep import TABLE_FILES
from weather.published import PUBLISHED_KEY
from weather.settings import LakeSettings
from weather.storage import Store, StoredObject

BACKUP_FILE = "lake.duckdb"
FORMAT = 1
RESPONSES = ("raw/", "rejected/")

CONCURRENT_COPIES = 8
"""Number of concurrent copies, because latency limits the copying of small objects."""

_TABLES = """
    CREATE TABLE backup (format INTEGER, published BLOB);
    CREATE TABLE backup_objects (key VARCHAR, size BIGINT, etag VARCHAR);
    CREATE TABLE backup_rows (table_name VARCHAR, row_count BIGINT);
"""


@dataclass(frozen=True)
class Manifest:
    """The contents of a backup, apart from the catalog."""

    published: bytes | None
    """Body of `published.json`; None if nothing was published."""
    objects: dict[str, StoredObject]
    """Copied objects by key, with the copied size and the `etag` in the lake's bucket."""
    rows: dict[str, int]
    """Number of rows of the newest snapshot, by table."""


@dataclass(frozen=True)
class Backup:
    """The result of a backup."""

    objects: int
    """Number of objects in the backup."""
    copied: int
    """Number of objects copied now, because an earlier backup did not have them."""
    copied_bytes: int
    rows: dict[str, int]
    """Number of rows by table."""


def back_up(settings: LakeSettings, target: BackupStorage) -> Backup:
    """Back up the catalog and the objects that the target lacks. The pipeline may run meanwhile.

    The catalog is saved first. `upkeep` keeps unused files for a day, so each file that the saved
    catalog refers to can still be copied. The target's earlier backup stays valid until the last
    object is written.

    Raises:
        StepError: a store or the catalog fails, a table file is missing, a rebuild has not ended,
            or the target holds the backup of another lake.
    """
    store = Store(settings)
    require_no_rebuild(store)
    with TemporaryDirectory(prefix="weather-backup-") as folder:
        file = Path(folder) / BACKUP_FILE
        # Read before the catalog is saved, so that the catalog has the published snapshot.
        published = store.get(PUBLISHED_KEY)
        save_catalog(settings, file)
        # A rebuild may have started meanwhile.
        require_no_rebuild(store)
        earlier = _earlier_objects(target, Path(folder) / "earlier.duckdb", saved_lake_id(file))
        present = target.sizes()
        objects = {
            **{
                key: earlier[key] for key in earlier if key.startswith(RESPONSES) and key in present
            },
            **{found.key: found for prefix in RESPONSES for found in store.objects(prefix)},
            **_table_objects(store, table_files(file)),
        }
        missing = [each for each in objects.values() if not _is_copied(each, present, earlier)]
        copied = copy(store, target, missing)
        objects |= {each.key: each for each in copied}
        manifest = Manifest(published, objects, row_counts(settings, file))
        write_manifest(manifest, file)
        target.put(BACKUP_FILE, file.read_bytes())
    target.delete(key for key in present if key.startswith(TABLE_FILES) and key not in objects)
    return Backup(
        objects=len(objects),
        copied=len(copied),
        copied_bytes=sum(each.size for each in copied),
        rows=manifest.rows,
    )


def copy(
    source: Store | BackupStorage, target: Store | BackupStorage, objects: Iterable[StoredObject]
) -> list[StoredObject]:
    """Copy objects from one store to another, several at a time.

    Returns:
        The objects with their copied sizes. An object that was replaced after it was listed keeps
        the listed `etag`, so the next backup copies it again.

    Raises:
        StepError: an object does not exist any more, or cannot be written.
    """

    def copy_one(each: StoredObject) -> StoredObject:
        body = source.get(each.key)
        if body is None:
            raise StepError(f"{each.key} was deleted while it was copied. Try again.")
        target.put(each.key, body)
        return replace(each, size=len(body))

    with ThreadPoolExecutor(CONCURRENT_COPIES) as pool:
        return list(pool.map(copy_one, objects))


def write_manifest(manifest: Manifest, file: Path) -> None:
    """Add the manifest to the file of a saved catalog."""
    with duckdb.connect(str(file)) as saved:
        saved.execute(_TABLES)
        saved.execute("INSERT INTO backup VALUES (?, ?)", [FORMAT, manifest.published])
        objects = manifest.objects.values()
        # One statement for each row takes half a minute for a year of hourly runs.
        saved.execute(
            "INSERT INTO backup_objects SELECT unnest(?), unnest(?), unnest(?)",
            [
                [each.key for each in objects],
                [each.size for each in objects],
                [each.etag for each in objects],
            ],
        )
        saved.execute(
            "INSERT INTO backup_rows SELECT unnest(?), unnest(?)",
            [list(manifest.rows), list(manifest.rows.values())],
        )


def read_manifest(file: Path) -> Manifest:
    """Read the manifest from a backup's file.

    Raises:
        StepError: the file is not a backup's, or has another format.
    """
    try:
        with duckdb.connect(str(file), read_only=True) as saved:
            row = saved.execute("SELECT format, published FROM backup").fetchone()
            if row is None or row[0] != FORMAT:
                raise StepError(
                    f"The backup has format {row and row[0]}, and this program reads format "
                    f"{FORMAT}. Use the version of this program that wrote the backup.",
                    ExitCode.SETTING,
                )
            objects = saved.execute("SELECT key, size, etag FROM backup_objects").fetchall()
            rows = saved.execute("SELECT table_name, row_count FROM backup_rows").fetchall()
    except duckdb.Error:
        raise StepError(
            f"{BACKUP_FILE}: not a file of a backup. Name a folder or bucket that backup wrote to.",
            ExitCode.SETTING,
        ) from None
    return Manifest(
        published=row[1],
        objects={key: StoredObject(key, size, etag) for key, size, etag in objects},
        rows=dict(rows),
    )


def _earlier_objects(target: BackupStorage, file: Path, lake: str) -> dict[str, StoredObject]:
    """Return the objects of the target's earlier backup, or no objects without one."""
    body = target.get(BACKUP_FILE)
    if body is None:
        return {}
    file.write_bytes(body)
    manifest = read_manifest(file)
    if saved_lake_id(file) != lake:
        raise StepError(
            f"{target.name} holds the backup of another lake, which was not changed. Name another "
            "folder or bucket."
        )
    return manifest.objects


def _table_objects(store: Store, sizes: dict[str, int]) -> dict[str, StoredObject]:
    found = {each.key: each for each in store.objects(TABLE_FILES) if each.key in sizes}
    for key, size in sizes.items():
        if key not in found or found[key].size != size:
            raise StepError(
                f"The catalog refers to {key} with {size} bytes, which is missing in bucket "
                f"'{store.bucket}'. The lake is damaged: restore an earlier backup, or rebuild it."
            )
    return found


def _is_copied(
    each: StoredObject, present: dict[str, int], earlier: dict[str, StoredObject]
) -> bool:
    """Return whether the target has this object. Table files are never rewritten."""
    if present.get(each.key) != each.size:
        return False
    return each.key.startswith(TABLE_FILES) or earlier.get(each.key) == each
