"""Make the lake what a backup holds, and check that it is."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from weather.ducklake import attached_lake
from weather.errors import ExitCode, StepError
from weather.lake.backup import ANSWERS, copy
from weather.lake.catalogs import load_catalog, row_counts, table_files
from weather.lake.contents import CONTENTS_KEY, Contents, read_contents
from weather.lake.places import Place
from weather.lake.publish import write_mart
from weather.lake.tested import forget_tests
from weather.lake.unfinished import mark_whole
from weather.published import PUBLISHED_KEY, Published, read_source
from weather.settings import LakeSettings
from weather.storage import Store

LAKE = (*ANSWERS, "transformed/")


@dataclass(frozen=True)
class Restored:
    """What a restore has done."""

    objects: int
    """In the backup."""
    copied: int
    """Of these, now; the others were there."""
    rows: dict[str, int]
    """By table."""
    published_snapshot_id: int | None
    """What readers see; None where nothing was published yet."""


def restore(settings: LakeSettings, place: Place, *, replace: bool) -> Restored:
    """Copy a backup's objects, put its catalog in place at one moment, then publish.

    Must not run beside a run of the pipeline. Objects of raw/ and rejected/ that the store has stay
    as they are, and so do objects that the backup does not have: responses are worth keeping, and
    `upkeep` deletes table files that no snapshot refers to.

    Raises:
        StepError: there is no backup or it lacks an object, the lake is not empty and `replace`
            is not given, a store or the catalog fails, the restored lake is not the backup's, or
            one of the two is a replay and the other is not.
    """
    store = Store(settings)
    with TemporaryDirectory(prefix="weather-restore-") as folder:
        file = Path(folder) / CONTENTS_KEY
        contents = _contents(place, file)
        files = table_files(file)
        if not replace:
            _require_empty(settings, store)
        _require_same_source(store, place)
        present = {found.key: found for prefix in LAKE for found in store.objects(prefix)}
        # Responses are added and never replaced: a backup beside a run may have copied a call's
        # object before its verdicts, because ingest stores it twice.
        wanted = [
            each
            for each in contents.objects.values()
            if not (each.key in present and each.key.startswith(ANSWERS))
        ]
        missing = [each for each in wanted if present.get(each.key) != each]
        sizes = {each.key: each.size for each in [*wanted, *copy(place, store, missing)]}
        _require_sizes(store, sizes | files)
        # The numbers of the snapshots that come after the backup's are given again.
        forget_tests(store)
        load_catalog(settings, file)
    rows = row_counts(settings)
    if rows != contents.rows:
        raise StepError(
            f"The restored tables have {rows} rows, the backup's {contents.rows}. Nothing is "
            "published; restore again with --replace.",
        )
    mark_whole(store)
    return Restored(
        objects=len(contents.objects),
        copied=len(missing),
        rows=rows,
        published_snapshot_id=_publish(settings, store, contents.published),
    )


def _contents(place: Place, file: Path) -> Contents:
    body = place.get(CONTENTS_KEY)
    if body is None:
        raise StepError(
            f"There is no backup in {place.name}. Name the place that backup was told.",
            ExitCode.SETTING,
        )
    file.write_bytes(body)
    contents = read_contents(file)
    kept = place.sizes()
    for each in contents.objects.values():
        # A later backup that was killed halfway may have left an answer that was written anew.
        any_size = each.key.startswith(ANSWERS)
        if each.key not in kept or not (any_size or kept[each.key] == each.size):
            raise StepError(
                f"The backup in {place.name} lacks {each.key} with {each.size} bytes. Nothing was "
                "changed; restore another backup."
            )
    return contents


def _require_empty(settings: LakeSettings, store: Store) -> None:
    with attached_lake(settings, create=True) as lake:
        has_tables = lake.execute(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = 'lake' LIMIT 1"
        ).fetchone()
    if has_tables or any(next(store.list(prefix), None) for prefix in LAKE):
        raise StepError(
            f"The lake in bucket '{store.bucket}' is not empty. Nothing was changed; give "
            "--replace to put the backup in its place.",
            ExitCode.SETTING,
        )


def _require_same_source(store: Store, place: Place) -> None:
    ours, theirs = read_source(store), read_source(place)
    if ours and theirs and ours.name != theirs.name:
        raise StepError(
            f"The backup in {place.name} holds data of another source ({theirs.name}) than bucket "
            f"'{store.bucket}' ({ours.name}), and raw/ must not hold both. Nothing was changed; "
            "restore to an empty bucket (WEATHER_BUCKET) with a LAKE_CATALOG of its own.",
            ExitCode.SETTING,
        )


def _require_sizes(store: Store, sizes: dict[str, int]) -> None:
    present = {found.key: found.size for prefix in LAKE for found in store.objects(prefix)}
    for key, size in sizes.items():
        if present.get(key) != size:
            raise StepError(
                f"{key} is not in bucket '{store.bucket}' with {size} bytes. The catalog was not "
                "changed; restore again."
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
