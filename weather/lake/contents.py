"""What a backup says of itself, in the one file that is replaced last: catalog and all the rest."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from weather.errors import ExitCode, StepError
from weather.storage import StoredObject

CONTENTS_KEY = "lake.duckdb"
FORMAT = 1

_TABLES = """
    CREATE TABLE backup (format INTEGER, published BLOB);
    CREATE TABLE backup_objects (key VARCHAR, size BIGINT, etag VARCHAR);
    CREATE TABLE backup_rows (table_name VARCHAR, row_count BIGINT);
"""


@dataclass(frozen=True)
class Contents:
    """Everything that belongs to a backup, apart from the catalog that is in the same file."""

    published: bytes | None
    """The object that names what readers see."""
    objects: dict[str, StoredObject]
    """By key: sizes as copied, `etag` as the lake's store listed it before."""
    rows: dict[str, int]
    """By table: the rows of the newest snapshot."""


def write_contents(contents: Contents, file: Path) -> None:
    """Add them to the file of a saved catalog."""
    with duckdb.connect(str(file)) as saved:
        saved.execute(_TABLES)
        saved.execute("INSERT INTO backup VALUES (?, ?)", [FORMAT, contents.published])
        objects = contents.objects.values()
        # A statement a row takes half a minute for a year of hourly runs.
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
            [list(contents.rows), list(contents.rows.values())],
        )


def read_contents(file: Path) -> Contents:
    """Read them back.

    Raises:
        StepError: the file is no backup, or one of another format.
    """
    try:
        with duckdb.connect(str(file), read_only=True) as saved:
            row = saved.execute("SELECT format, published FROM backup").fetchone()
            if row is None or row[0] != FORMAT:
                raise StepError(
                    f"The backup has format {row and row[0]}, this program reads {FORMAT}. Use the "
                    "program that made it.",
                    ExitCode.SETTING,
                )
            objects = saved.execute("SELECT key, size, etag FROM backup_objects").fetchall()
            rows = saved.execute("SELECT table_name, row_count FROM backup_rows").fetchall()
    except duckdb.Error:
        raise StepError(
            f"{CONTENTS_KEY} is not what backup writes. Name the place of a backup.",
            ExitCode.SETTING,
        ) from None
    return Contents(
        published=row[1],
        objects={key: StoredObject(key, size, etag) for key, size, etag in objects},
        rows=dict(rows),
    )
