"""Copy the lake to another place: catalog and store, consistent with each other."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from weather.errors import StepError
from weather.lake.catalogs import row_counts, save_catalog, saved_lake_id, table_files
from weather.lake.contents import CONTENTS_KEY, Contents, read_contents, write_contents
from weather.lake.places import Place
from weather.lake.unfinished import require_whole
from weather.lake.upkeep import TABLE_FILES
from weather.published import PUBLISHED_KEY
from weather.settings import LakeSettings
from weather.storage import Store, StoredObject

ANSWERS = ("raw/", "rejected/")

COPIES_AT_A_TIME = 8
"""Small objects take their time to be asked for, not to be moved."""


@dataclass(frozen=True)
class Backup:
    """What a backup has done."""

    objects: int
    """In the backup."""
    copied: int
    """Of these, now; the others were there."""
    copied_bytes: int
    rows: dict[str, int]
    """By table."""


def back_up(settings: LakeSettings, place: Place) -> Backup:
    """Copy what the place does not have yet; may run beside a run of the pipeline.

    The catalog is copied first, at one moment: each file that it refers to stays in the store for
    a day after its last use (`upkeep`), so that it can be copied later. Until the last object is
    written, the place holds the backup that it held before.

    Raises:
        StepError: a store or the catalog fails, a table file is missing, a rebuild has not ended,
            or the place holds the backup of another lake.
    """
    store = Store(settings)
    require_whole(store)
    with TemporaryDirectory(prefix="weather-backup-") as folder:
        file = Path(folder) / CONTENTS_KEY
        # Read before the catalog, so that the catalog knows the snapshot it names.
        published = store.get(PUBLISHED_KEY)
        save_catalog(settings, file)
        # A rebuild may have begun meanwhile.
        require_whole(store)
        earlier = _earlier(place, Path(folder) / "earlier.duckdb", saved_lake_id(file))
        kept = place.sizes()
        objects = {
            **{key: earlier[key] for key in earlier if key.startswith(ANSWERS) and key in kept},
            **{found.key: found for prefix in ANSWERS for found in store.objects(prefix)},
            **_table_objects(store, table_files(file)),
        }
        missing = [each for each in objects.values() if not _is_kept(each, kept, earlier)]
        copied = copy(store, place, missing)
        objects |= {each.key: each for each in copied}
        contents = Contents(published, objects, row_counts(settings, file))
        write_contents(contents, file)
        place.put(CONTENTS_KEY, file.read_bytes())
    place.delete(key for key in kept if key.startswith(TABLE_FILES) and key not in objects)
    return Backup(
        objects=len(objects),
        copied=len(copied),
        copied_bytes=sum(each.size for each in copied),
        rows=contents.rows,
    )


def copy(
    source: Store | Place, target: Store | Place, objects: Iterable[StoredObject]
) -> list[StoredObject]:
    """Copy objects, several at a time.

    Returns:
        The objects with the sizes that were copied. One that was written anew after it was listed
        keeps the listed `etag`, so that the next backup finds another one and copies it again.

    Raises:
        StepError: one of them is not there any more, or cannot be written.
    """

    def copy_one(each: StoredObject) -> StoredObject:
        body = source.get(each.key)
        if body is None:
            raise StepError(f"{each.key} went away while it was copied. Try again.")
        target.put(each.key, body)
        return replace(each, size=len(body))

    with ThreadPoolExecutor(COPIES_AT_A_TIME) as pool:
        return list(pool.map(copy_one, objects))


def _earlier(place: Place, file: Path, lake: str) -> dict[str, StoredObject]:
    """What the place's backup holds; nothing where there is none."""
    body = place.get(CONTENTS_KEY)
    if body is None:
        return {}
    file.write_bytes(body)
    contents = read_contents(file)
    if saved_lake_id(file) != lake:
        raise StepError(
            f"{place.name} holds the backup of another lake, which is left as it is. Name another "
            "place."
        )
    return contents.objects


def _table_objects(store: Store, sizes: dict[str, int]) -> dict[str, StoredObject]:
    found = {each.key: each for each in store.objects(TABLE_FILES) if each.key in sizes}
    for key, size in sizes.items():
        if key not in found or found[key].size != size:
            raise StepError(
                f"The catalog refers to {key} with {size} bytes, which is not in bucket "
                f"'{store.bucket}'. The lake is damaged: restore an earlier backup, or rebuild it."
            )
    return found


def _is_kept(each: StoredObject, kept: dict[str, int], earlier: dict[str, StoredObject]) -> bool:
    """Whether the place has this very object; a table file is never written twice."""
    if kept.get(each.key) != each.size:
        return False
    return each.key.startswith(TABLE_FILES) or earlier.get(each.key) == each
