"""Find the newest snapshot whose unpublished rows have all passed dbt's tests.

After all tests of a model have passed, dbt stores a test record (macros/test_records.sql). The
record has the last snapshot that inserted rows into the model's table and into each table that the
model reads. A snapshot is tested if records cover its last insertions into every table.
"""

from dataclasses import dataclass

import duckdb
from pydantic import BaseModel, ValidationError

from weather.ducklake import METADATA, current_snapshot_id, lake_id
from weather.errors import StepError
from weather.storage import Store

TEST_RECORDS = "transformed/tested/"
"""Prefix of test records' keys, before the lake's id and the record's name."""

TABLES = ("stg_weather", "rejected_weather", "daily_weather_stats")
"""Tables of dbt's models in dependency order."""

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
"""SQL query of the snapshots that inserted rows, by table, without compactions and deletions.

dbt's macros run the same query (weather/lake/dbt_plugin.py).
"""


class PassedTests(BaseModel):
    """Test record: the tables' snapshots on which a model's tests have passed."""

    model: str
    tables: dict[str, int]
    """Last snapshot with new rows, by table: the model's table, and the tables that feed it."""


@dataclass(frozen=True)
class Insertions:
    """Snapshots that inserted rows into each table of an attached lake."""

    by_table: dict[str, list[int]]
    published: int
    """The published snapshot; -1 without one. Older insertions do not count."""

    def last(self, table: str, snapshot_id: int) -> int:
        """Return the newest insertion into a table up to a snapshot."""
        return self.newer_of_published(
            max((each for each in self.by_table[table] if each <= snapshot_id), default=0)
        )

    def newer_of_published(self, snapshot_id: int) -> int:
        """Return the newer of a snapshot and the published snapshot."""
        return max(snapshot_id, self.published, 0)

    def is_new(self, snapshot_id: int) -> bool:
        """Return whether a snapshot has unpublished rows."""
        return any(self.last(table, snapshot_id) > self.newer_of_published(0) for table in TABLES)


def read_insertions(lake: duckdb.DuckDBPyConnection, published: int) -> Insertions:
    """Read the insertions from the catalog."""
    by_table: dict[str, list[int]] = {table: [] for table in TABLES}
    for table, snapshot_id in lake.execute(INSERTIONS).fetchall():
        if table in by_table:
            by_table[table].append(snapshot_id)
    return Insertions(by_table, published)


def newest_tested_snapshot(
    lake: duckdb.DuckDBPyConnection, store: Store, newest: int, published: int
) -> int:
    """Return the newest snapshot whose unpublished rows have all passed dbt's tests.

    Args:
        lake: the attached lake.
        store: the lake's bucket.
        newest: the lake's newest snapshot.
        published: the published snapshot; -1 without one.

    Raises:
        StepError: every snapshot newer than the published one has untested rows.
    """
    insertions = read_insertions(lake, published)
    if not insertions.is_new(newest):
        return newest
    records = list(_records(store, lake_id(lake)))
    for snapshot_id in _candidates(insertions, newest):
        if all(_is_covered(table, snapshot_id, records, insertions) for table in TABLES):
            return snapshot_id
    table = next(each for each in TABLES if not _is_covered(each, newest, records, insertions))
    raise StepError(
        f"Snapshot {newest} of the lake is not tested: the tests of {table} have not passed since "
        f"snapshot {insertions.last(table, newest)} was written. Nothing was published. Run the "
        "models of this run again, from stg_weather on (in Airflow: clear models.stg_weather with "
        "Downstream)."
    )


def record_passed_tests(lake: duckdb.DuckDBPyConnection, store: Store) -> None:
    """Store test records for rows that were written without dbt, such as a benchmark's."""
    newest = current_snapshot_id(lake)
    insertions = read_insertions(lake, -1)
    for number, model in enumerate(TABLES):
        read = TABLES[: number + 1]
        tables = {each: insertions.last(each, newest) for each in read}
        record = PassedTests(model=model, tables=tables)
        key = f"{TEST_RECORDS}{lake_id(lake)}/{model}-{newest}.json"
        store.put(key, record.model_dump_json().encode())


def delete_test_records(store: Store, keep: tuple[str, int] | None = None) -> None:
    """Delete the test records that no later publish needs.

    Args:
        store: the lake's bucket.
        keep: the lake's id and its published snapshot: records of newer snapshots stay. Without
            it, all records are deleted, because snapshot numbers will be used again.
    """
    lake, published = keep or ("", -1)
    store.delete(
        key
        for key in list(store.list(TEST_RECORDS))
        if not (
            lake
            and key.startswith(f"{TEST_RECORDS}{lake}/")
            and (record := _read(store, key))
            and max(record.tables.values()) > published
        )
    )


def _candidates(insertions: Insertions, newest: int) -> list[int]:
    """Return the candidates to publish, newest first: the last snapshot before each insertion."""
    ends = {each - 1 for snapshots in insertions.by_table.values() for each in snapshots}
    return [
        each
        for each in sorted({newest, *ends}, reverse=True)
        if each > insertions.published and insertions.is_new(each)
    ]


def _is_covered(
    model: str, snapshot_id: int, records: list[PassedTests], insertions: Insertions
) -> bool:
    """Return whether the model's tests have passed on a snapshot's rows."""
    read = TABLES[: TABLES.index(model) + 1]
    if all(
        insertions.last(table, snapshot_id) == insertions.newer_of_published(0) for table in read
    ):
        return True
    return any(
        each.model == model
        and all(
            insertions.newer_of_published(last) == insertions.last(table, snapshot_id)
            for table, last in each.tables.items()
        )
        for each in records
    )


def _records(store: Store, lake: str) -> list[PassedTests]:
    keys = list(store.list(f"{TEST_RECORDS}{lake}/"))
    return [record for key in keys if (record := _read(store, key))]


def _read(store: Store, key: str) -> PassedTests | None:
    try:
        return PassedTests.model_validate_json(store.get(key) or b"")
    except ValidationError:
        # A record of another version: the tests of the next run store new ones.
        return None
