"""Save the lake's catalog to a file, and load it from such a file.

DuckLake has the same catalog tables in SQLite, Postgres and DuckDB. The saved file is a catalog in
DuckDB's format, which `ATTACH 'ducklake:lake.duckdb'` opens.
"""

from pathlib import Path

import duckdb

from weather.ducklake import METADATA as LIVE
from weather.ducklake import attached_lake, data_path, lake_id, tables_of
from weather.errors import ExitCode, StepError
from weather.s3_config import literal
from weather.settings import LakeSettings


def save_catalog(settings: LakeSettings, file: Path) -> None:
    """Save the lake's catalog to a new file, in one transaction.

    Raises:
        StepError: the lake cannot be opened, or has rows inlined into its catalog.
    """
    with attached_lake(settings) as lake:
        lake.execute(
            f"ATTACH {literal(f'ducklake:{file}')} AS saved"
            f" (DATA_PATH {literal(data_path(settings))})"
        )
        lake.execute("DETACH saved")
        lake.execute(f"ATTACH {literal(str(file))} AS saved")
        _replace(lake, LIVE, "saved")
        if lake.execute("FROM saved.ducklake_inlined_data_tables").fetchall():
            raise StepError(
                "The lake has rows inlined into its catalog, and a backup would lack them. Set "
                "DuckLake's option data_inlining_row_limit to 0, and run "
                "CALL ducklake_flush_inlined_data('lake').",
                ExitCode.SETTING,
            )
        # No snapshot refers to these files, and `upkeep` deletes them soon.
        lake.execute("DELETE FROM saved.ducklake_files_scheduled_for_deletion")


def load_catalog(settings: LakeSettings, file: Path) -> None:
    """Replace the lake's catalog by a saved catalog, in one transaction. Create a missing lake.

    Raises:
        StepError: the lake cannot be opened, or another version of DuckLake saved the file.
    """
    with attached_lake(settings, create=True) as lake:
        lake.execute(f"ATTACH {literal(str(file))} AS saved (READ_ONLY)")
        saved, live = (_version(lake, database) for database in ("saved", LIVE))
        if saved != live:
            raise StepError(
                f"The saved catalog has DuckLake's format {saved}, the lake has {live}. "
                "Load the catalog with the version of this program that saved it.",
                ExitCode.SETTING,
            )
        _replace(lake, "saved", LIVE, data_path=data_path(settings))


def table_files(file: Path) -> dict[str, int]:
    """Return the key and size in bytes of each table file that a saved catalog refers to.

    Raises:
        StepError: a file is outside of the lake's folder.
    """
    with duckdb.connect(str(file), read_only=True) as saved:
        rows = saved.execute(
            """
            WITH files AS (
                SELECT table_id, path, path_is_relative, file_size_bytes FROM ducklake_data_file
                UNION ALL
                SELECT table_id, path, path_is_relative, file_size_bytes FROM ducklake_delete_file
            ),
            tables AS (
                SELECT DISTINCT table_id, schemas.path || tables.path AS path
                FROM ducklake_table AS tables JOIN ducklake_schema AS schemas USING (schema_id)
            )
            SELECT tables.path || files.path, files.file_size_bytes, files.path_is_relative
            FROM files JOIN tables USING (table_id)
            """
        ).fetchall()
    for path, _, is_relative in rows:
        if not is_relative:
            raise StepError(
                f"The catalog refers to {path}, which is outside of the lake's folder. A backup "
                "can only hold files in that folder: copy the rows into the lake's own tables.",
                ExitCode.SETTING,
            )
    return {f"transformed/{path}": size for path, size, _ in rows}


def saved_lake_id(file: Path) -> str:
    """Return the lake's id in a saved catalog."""
    with duckdb.connect(str(file), read_only=True) as saved:
        return lake_id(saved, "main")


def row_counts(settings: LakeSettings, file: Path | None = None) -> dict[str, int]:
    """Count each table's rows in the newest snapshot of the lake, or of its saved catalog."""
    with attached_lake(settings) as lake:
        if file:
            lake.execute(f"ATTACH {literal(f'ducklake:{file}')} AS saved (READ_ONLY)")
        database = "saved" if file else "lake"
        counts = {}
        for table in tables_of(lake, database):
            row = lake.execute(f"SELECT count(*) FROM {database}.{table}").fetchone()  # noqa: S608
            assert row is not None
            counts[table] = int(row[0])
    return counts


def _replace(
    lake: duckdb.DuckDBPyConnection, source: str, target: str, data_path: str | None = None
) -> None:
    """Replace one catalog's rows by another catalog's rows, in one transaction."""
    saved_tables = lake.execute(
        "SELECT table_name FROM duckdb_tables()"
        " WHERE database_name = 'saved' AND starts_with(table_name, 'ducklake_')"
    ).fetchall()
    # DuckLake writes timestamps in UTC, also to databases that store them as text.
    lake.execute("SET TimeZone = 'UTC'")
    # DuckDB resolves names in the current database first, and SQLite would lock that.
    lake.execute("USE saved")
    lake.execute("BEGIN")
    for (table,) in saved_tables:
        lake.execute(f"DELETE FROM {target}.{table}")  # noqa: S608 (DuckLake's own names)
        lake.execute(f"INSERT INTO {target}.{table} BY NAME FROM {source}.{table}")
    if data_path:
        lake.execute(
            f"UPDATE {target}.ducklake_metadata SET value = ? WHERE key = 'data_path'",  # noqa: S608
            [data_path],
        )
    lake.execute("COMMIT")


def _version(lake: duckdb.DuckDBPyConnection, database: str) -> str:
    row = lake.execute(
        f"SELECT value FROM {database}.ducklake_metadata WHERE key = 'version'"  # noqa: S608
    ).fetchone()
    return str(row[0]) if row else "unknown"
