"""The lake: DuckLake tables, with the catalog in SQLite or Postgres and the files in the store."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from weather.exit_codes import ExitCode, StepError
from weather.settings import LakeSettings

if TYPE_CHECKING:
    import duckdb

EXTENSIONS = ("httpfs", "ducklake", "sqlite_scanner", "postgres_scanner")
"""DuckDB's extensions that a lake may need; DuckLake loads the catalog's own by itself."""


@contextmanager
def attached_lake(
    settings: LakeSettings, *, snapshot_id: int | None = None, create: bool = False
) -> Iterator["duckdb.DuckDBPyConnection"]:
    """A connection whose database `lake` is the lake, and the current one.

    Args:
        settings: where the catalog and the store are.
        snapshot_id: attach the lake read-only, as it was at this snapshot.
        create: make an empty lake where there is none.

    Raises:
        StepError: the catalog or the store cannot be reached, or there is no lake yet.
    """
    import duckdb

    connection = duckdb.connect(config=_configuration())
    try:
        for statement in (
            "LOAD httpfs",
            "LOAD ducklake",
            _store_secret(settings),
            _lake_secret(settings),
            _attachment(snapshot_id=snapshot_id, create=create),
            "USE lake",
        ):
            connection.execute(statement)
    except duckdb.Error as error:
        connection.close()
        raise StepError(
            f"The lake cannot be opened: {_without_secrets(first_line(error), settings)}. Look at "
            "LAKE_CATALOG and AWS_ENDPOINT_URL, and that the catalog and the store are running.",
            ExitCode.UNAVAILABLE,
        ) from None
    try:
        yield connection
    finally:
        connection.close()


def first_line(error: BaseException) -> str:
    """The first line of an error's message, without a full stop."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _without_secrets(message: str, settings: LakeSettings) -> str:
    """The message with the catalog's address, which may hold a password, named and not shown."""
    catalog = settings.lake_catalog
    for secret in (catalog, catalog.partition(":")[2], settings.aws_secret_access_key):
        message = message.replace(secret, "...")
    return message


def extension_directory() -> str | None:
    """The folder that DuckDB's extensions are kept in; unset, DuckDB's own choice."""
    return os.environ.get("DUCKDB_EXTENSION_DIRECTORY")


def _configuration() -> dict[str, str | bool | int | float | list[str]]:
    folder = extension_directory()
    return {"extension_directory": folder} if folder else {}


def _store_secret(settings: LakeSettings) -> str:
    address = urlsplit(settings.aws_endpoint_url or "https://s3.amazonaws.com")
    return (
        "CREATE SECRET store (TYPE s3"
        f", KEY_ID {_literal(settings.aws_access_key_id)}"
        f", SECRET {_literal(settings.aws_secret_access_key)}"
        f", REGION {_literal(settings.aws_region)}"
        f", ENDPOINT {_literal(address.netloc)}"
        f", USE_SSL {address.scheme == 'https'}"
        f", URL_STYLE {'path' if settings.aws_endpoint_url else 'vhost'!r})"
    )


def _lake_secret(settings: LakeSettings) -> str:
    return (
        "CREATE SECRET weather_lake (TYPE ducklake"
        f", METADATA_PATH {_literal(settings.lake_catalog)}"
        f", DATA_PATH {_literal(settings.bucket_url + '/transformed/')})"
    )


def _attachment(*, snapshot_id: int | None, create: bool) -> str:
    options = [f"CREATE_IF_NOT_EXISTS {create}"]
    if snapshot_id is not None:
        options += ["READ_ONLY", f"SNAPSHOT_VERSION {snapshot_id}"]
    return f"ATTACH 'ducklake:weather_lake' AS lake ({', '.join(options)})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def current_snapshot_id(lake: "duckdb.DuckDBPyConnection") -> int:
    """The newest snapshot of an attached lake."""
    row = lake.execute("SELECT max(snapshot_id) FROM lake.snapshots()").fetchone()
    assert row is not None
    return int(row[0])
