"""The lake's catalog as a whole: saved to a file, and put in the place of another.

DuckLake keeps its catalog in the same tables whatever database holds them. The saved file is a
catalog of its own, in DuckDB's format: `ATTACH 'ducklake:lake.duckdb'` opens it.
"""

from pathlib import Path

import duckdb

from weather.ducklake import METADATA as LIVE
from weather.ducklake import attached_lake, data_path, lake_id, tables_of
from weather.errors import ExitCode, StepError
from weather.s3_config import literal
from weather.settings import LakeSettings


def save_catalog(settings: LakeSettings, file: Path) -> None:
    """Write the lake's catalog, as it is at one moment, to a new file.

    Raises:
        StepError: the lake cannot be opened, or keeps rows in its catalog.
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
                "The lake keeps rows in its catalog, which no backup holds. Set DuckLake's option "
                "data_inlining_row_limit to 0 and call ducklake_flush_inlined_data('lake').",
                ExitCode.SETTING,
            )
        # Files that no snapshot refers to, which are gone soon.
        lake.execute("DELETE FROM saved.ducklake_files_scheduled_for_deletion")


def load_catalog(settings: LakeSettings, file: Path) -> None:
    """Put a saved catalog in the place of the lake's, in one transaction; make it where is none.

    Raises:
        StepError: the lake cannot be opened, or the file's format is another DuckLake's.
    """
    with attached_lake(settings, create=True) as lake:
        lake.execute(f"ATTACH {literal(str(file))} AS saved (READ_ONLY)")
        saved, live = (_version(lake, database) for database in ("saved", LIVE))
        if saved != live:
            raise StepError(
                f"The saved catalog is of DuckLake {saved}, this program's is {live}. "
                "Use the program that saved it.",
                ExitCode.SETTING,
            )
        _replace(lake, "saved", LIVE, data_path=data_path(settings))


def table_files(file: Path) -> dict[str, int]:
    """The bytes of every table file that some snapshot of a saved catalog refers to, by its key.

    Raises:
        StepError: a file is not below the lake's own folder.
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
                f"The catalog refers to {path}, which is outside of the lake's folder. Only files "
                "that the lake has written itself can be saved.",
                ExitCode.SETTING,
            )
    return {f"transformed/{path}": size for path, size, _ in rows}


def saved_lake_id(file: Path) -> str:
    """Return the lake's id in a saved catalog."""
    with duckdb.connect(str(file), read_only=True) as saved:
        return lake_id(saved, "main")


def row_counts(settings: LakeSettings, file: Path | None = None) -> dict[str, int]:
    """The rows of each table in the newest snapshot of the lake, or of a saved catalog of it."""
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
    """Make all tables of one catalog equal another's: both are read and written at one moment."""
    saved_tables = lake.execute(
        "SELECT table_name FROM duckdb_tables()"
        " WHERE database_name = 'saved' AND starts_with(table_name, 'ducklake_')"
    ).fetchall()
    # Moments that a database keeps as text are written in UTC by DuckLake itself.
    lake.execute("SET TimeZone = 'UTC'")
    # DuckDB looks names up in the database in use, and SQLite locks what is looked at.
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
