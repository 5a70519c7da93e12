"""Find the newest snapshot whose rows have passed their tests.

dbt stores a small object for each model whose tests have all passed (macros/tested.sql). It names
the snapshots that the tests have covered: for the model and for each table that the model reads,
the last one that inserted rows. A snapshot is tested if the tests have covered the last insertions
into each of its tables that readers do not have yet.
"""

from dataclasses import dataclass

import duckdb
from pydantic import BaseModel, ValidationError

from weather.ducklake import METADATA, current_snapshot_id, lake_id
from weather.errors import StepError
from weather.storage import Store

TESTED = "transformed/tested/"
"""Prefix of these objects; the lake's id follows, then an object's own name."""

TABLES = ("stg_weather", "rejected_weather", "daily_weather_stats")
"""Tables of dbt's models, each after those that it reads."""

INSERTIONS = f"""
    WITH changes AS (
        SELECT snapshot_id, unnest(map_entries(changes)) AS change FROM lake.snapshots()
    ),
    insertions AS (
        SELECT snapshot_id, unnest(change.value) AS table_id
        FROM changes
        WHERE change.key IN ('tables_inserted_into', 'inlined_insert')
    )
    SELECT tables.table_name, insertions.snapshot_id
    FROM insertions
    JOIN {METADATA}.ducklake_table AS tables
        ON tables.table_id = insertions.table_id::BIGINT AND tables.end_snapshot IS NULL
"""  # noqa: S608 (DuckLake's own names)
"""The snapshots that inserted rows into a table; a compaction does not, nor does a deletion."""


class Tested(BaseModel):
    """The tests of a model have passed on these snapshots of the tables."""

    model: str
    tables: dict[str, int]
    """The last snapshot that inserted rows, for the model's table and each that the model reads."""


@dataclass(frozen=True)
class Insertions:
    """The snapshots that inserted rows into each table of an attached lake."""

    by_table: dict[str, list[int]]
    published: int
    """The snapshot that readers have; what came before counts as no insertion. -1 without one."""

    def last(self, table: str, snapshot_id: int) -> int:
        """The newest insertion up to a snapshot."""
        return self.known(
            max((each for each in self.by_table[table] if each <= snapshot_id), default=0)
        )

    def known(self, snapshot_id: int) -> int:
        """The snapshot, or the published one in place of any that is older."""
        return max(snapshot_id, self.published, 0)

    def is_new(self, snapshot_id: int) -> bool:
        """Return whether a snapshot has rows that readers do not have."""
        return any(self.last(table, snapshot_id) > self.known(0) for table in TABLES)


def insertions_of(lake: duckdb.DuckDBPyConnection, published: int) -> Insertions:
    """Read the insertions from the catalog alone."""
    by_table: dict[str, list[int]] = {table: [] for table in TABLES}
    for table, snapshot_id in lake.execute(INSERTIONS).fetchall():
        if table in by_table:
            by_table[table].append(snapshot_id)
    return Insertions(by_table, published)


def newest_tested_snapshot(
    lake: duckdb.DuckDBPyConnection, store: Store, newest: int, published: int
) -> int:
    """The newest snapshot, or an older one if the newest has rows that are not tested.

    Args:
        lake: the attached lake.
        store: its bucket.
        newest: the lake's newest snapshot.
        published: the snapshot that readers have; -1 without one.

    Raises:
        StepError: every snapshot newer than the published one has rows that are not tested.
    """
    insertions = insertions_of(lake, published)
    if not insertions.is_new(newest):
        return newest
    tested = list(_tested(store, lake_id(lake)))
    for snapshot_id in _candidates(insertions, newest):
        if all(_is_covered(table, snapshot_id, tested, insertions) for table in TABLES):
            return snapshot_id
    table = next(each for each in TABLES if not _is_covered(each, newest, tested, insertions))
    raise StepError(
        f"Snapshot {newest} of the lake is not tested: the tests of {table} have not passed since "
        f"snapshot {insertions.last(table, newest)} was written. Readers keep what they have. Run "
        f"the models of this run again, from stg_weather on (in Airflow: clear models.stg_weather "
        "with Downstream)."
    )


def record_as_tested(lake: duckdb.DuckDBPyConnection, store: Store) -> None:
    """Store what dbt stores after its tests, for rows that a program has written without dbt."""
    newest = current_snapshot_id(lake)
    insertions = insertions_of(lake, -1)
    for number, model in enumerate(TABLES):
        read = TABLES[: number + 1]
        tested = Tested(model=model, tables={each: insertions.last(each, newest) for each in read})
        key = f"{TESTED}{lake_id(lake)}/{model}-{newest}.json"
        store.put(key, tested.model_dump_json().encode())


def forget_tests(store: Store, keep: tuple[str, int] | None = None) -> None:
    """Delete the objects that no later publish needs.

    Args:
        store: the bucket.
        keep: the lake's id and its published snapshot: what covers newer ones stays. Without it,
            all go: the numbers of snapshots will be given again.
    """
    lake, published = keep or ("", -1)
    store.delete(
        key
        for key in list(store.list(TESTED))
        if not (
            lake
            and key.startswith(f"{TESTED}{lake}/")
            and (tested := _read(store, key))
            and max(tested.tables.values()) > published
        )
    )


def _candidates(insertions: Insertions, newest: int) -> list[int]:
    """Snapshots to consider, the newest first: each last one before another insertion."""
    ends = {each - 1 for snapshots in insertions.by_table.values() for each in snapshots}
    return [
        each
        for each in sorted({newest, *ends}, reverse=True)
        if each > insertions.published and insertions.is_new(each)
    ]


def _is_covered(model: str, snapshot_id: int, tested: list[Tested], insertions: Insertions) -> bool:
    """Return whether the model's tests have passed on the rows of the tables in a snapshot."""
    read = TABLES[: TABLES.index(model) + 1]
    if all(insertions.last(table, snapshot_id) == insertions.known(0) for table in read):
        return True
    return any(
        each.model == model
        and all(
            insertions.known(last) == insertions.last(table, snapshot_id)
            for table, last in each.tables.items()
        )
        for each in tested
    )


def _tested(store: Store, lake: str) -> list[Tested]:
    keys = list(store.list(f"{TESTED}{lake}/"))
    return [tested for key in keys if (tested := _read(store, key))]


def _read(store: Store, key: str) -> Tested | None:
    try:
        return Tested.model_validate_json(store.get(key) or b"")
    except ValidationError:
        # Another version's: the next run's tests store their own.
        return None
