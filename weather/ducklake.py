"""The lake: DuckLake tables, with the catalog in SQLite or Postgres and the files in the store."""

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from tempfile import gettempdir
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from weather.errors import ExitCode, StepError
from weather.published import PUBLISHED_KEY, Published
from weather.s3_config import TRUST_ADVICE, UNTRUSTED, S3Access, literal
from weather.settings import LakeSettings

if TYPE_CHECKING:
    import duckdb

EXTENSIONS = ("httpfs", "ducklake", "sqlite_scanner", "postgres_scanner")
"""DuckDB's extensions that a lake may need; DuckLake loads the catalog's own by itself."""

METADATA = "__ducklake_metadata_lake"
"""The database that DuckLake attaches for the catalog of the lake."""

WRITE_LOCK = "_write_lock"
"""Suffix of tables without data: dbt's transactions update their one row, so that two conflict."""

TIME_LIMITS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""How long a Postgres that is silent is waited for; in seconds, but for the last: milliseconds."""


STORE_LIMITS = {"http_timeout": 8, "http_retries": 1, "http_retry_wait_ms": 1000}
"""DuckDB's limits for a silent store: it makes six attempts for a write, so it waits 54 s at most.

With its defaults, 30 s and 3 retries, it waits 6 minutes.
"""


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
        StepError: the catalog or the store cannot be reached, or there is no lake yet; or what
            is done inside the `with` fails.
    """
    access = S3Access(settings)
    with closing(_prepared(settings, access)) as connection:
        with _failures_in_a_line(settings):
            connection.execute(_attachment(snapshot_id=snapshot_id, create=create))
            connection.execute("USE lake")
        with _failures_in_a_line(settings, "read or written"):
            yield connection


class LakeDoor:
    """Opens a lake again and again, in one thread at a time.

    What DuckDB needs for that is loaded once and kept, because it takes 0.3 s of CPU time; opening
    takes at most 10 ms.
    """

    def __init__(self, settings: LakeSettings) -> None:
        self._settings = settings
        self._access = S3Access(settings)
        self._connection: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def opened(self, snapshot_id: int) -> Iterator["duckdb.DuckDBPyConnection"]:
        """A connection as `attached_lake` has it, at this snapshot.

        Raises:
            StepError: the catalog cannot be reached, or there is no lake or no such snapshot.
        """
        if self._connection is None:
            self._connection = _prepared(self._settings, self._access)
            # While it waits for the next time, it needs no threads and no files in memory.
            self._connection.execute("SET threads = 1")
            self._connection.execute("SET enable_external_file_cache = false")
        with _failures_in_a_line(self._settings):
            self._access.renew(self._connection)
            self._connection.execute(_attachment(snapshot_id=snapshot_id, create=False))
        try:
            with _failures_in_a_line(self._settings):
                self._connection.execute("USE lake")
            yield self._connection
            with _failures_in_a_line(self._settings):
                self._connection.execute("USE memory")
                self._connection.execute("DETACH lake")
        except BaseException:
            # Nobody knows what it is in the middle of: the next time begins with another one.
            self._connection.close()
            self._connection = None
            raise


def data_path(settings: LakeSettings) -> str:
    """Where the lake keeps the files of its tables."""
    return f"{settings.bucket_url}/transformed/"


def _prepared(settings: LakeSettings, access: S3Access) -> "duckdb.DuckDBPyConnection":
    """A connection that can attach the lake."""
    import duckdb

    connection = duckdb.connect(config=_configuration())
    try:
        with _failures_in_a_line(settings):
            connection.execute("LOAD httpfs")
            connection.execute("LOAD ducklake")
            configure(connection, settings, access)
    except StepError:
        connection.close()
        raise
    return connection


def configure(
    connection: "duckdb.DuckDBPyConnection", settings: LakeSettings, access: S3Access
) -> None:
    """Set the limits of time, and create the secrets of the store and the catalog.

    Raises:
        StepError: the store's credentials cannot be had.
    """
    for name, value in STORE_LIMITS.items():
        # Global, so that dbt's cursors have them too.
        connection.execute(f"SET GLOBAL {name} = {value}")
    access.configure(connection)
    connection.execute(_lake_secret(settings))


@contextmanager
def _failures_in_a_line(settings: LakeSettings, wanted: str = "opened") -> Iterator[None]:
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        reason = _without_secrets(in_a_line(error), settings)
        if UNTRUSTED.search(reason):
            raise StepError(
                f"The lake cannot be {wanted}: {reason}. {TRUST_ADVICE}", ExitCode.SETTING
            ) from None
        kind, _, file = settings.lake_catalog.partition(":")
        place = f" (catalog {file})" if kind == "sqlite" else ""
        raise StepError(
            f"The lake{place} cannot be {wanted}: {reason}. {_advice(reason)}",
            ExitCode.UNAVAILABLE,
        ) from None


def _advice(reason: str) -> str:
    """The next step after a failure of the lake."""
    if re.search("is not a database|disk image is malformed", reason):
        return (
            "The catalog's file is damaged: move it away, then restore a backup "
            "(docs/runbooks/restore-from-backup.md) or rebuild the lake from raw/ "
            "(docs/runbooks/rebuild-the-lake.md)."
        )
    if re.search("disk is full|disk I/O error|No space left", reason):
        return "Free disk space, then run the task again."
    if re.search("readonly database|unable to open database file|Permission denied", reason):
        return "See that the catalog's folder exists and can be written to."
    return (
        "Look at LAKE_CATALOG and AWS_ENDPOINT_URL, and that the catalog and the store are running."
    )


def in_a_line(error: BaseException) -> str:
    """The first line of an error's message, and the catalog's own words if there are any."""
    message = str(error).strip()
    line = (message.splitlines() or [type(error).__name__])[0].rstrip(".")
    # Behind all that DuckLake asked the catalog for.
    refused = re.search(r'^Failed to .*Failed to execute query ".*": +(.+)', message, re.MULTILINE)
    return f"{line}: {' '.join(refused[1].split())}" if refused else line


def _without_secrets(message: str, settings: LakeSettings) -> str:
    """The message without the store's password and the address of a catalog that is a server."""
    catalog = catalog_address(settings)
    secrets = [*filter(None, (settings.aws_secret_access_key, settings.aws_session_token))]
    if not catalog.startswith("sqlite:"):
        secrets = [catalog, catalog.partition(":")[2], *secrets]
    for secret in secrets:
        message = message.replace(secret, "...")
    return message


def catalog_address(settings: LakeSettings) -> str:
    """The catalog as DuckLake is told it: where it is Postgres, with limits of time."""
    kind, _, address = settings.lake_catalog.partition(":")
    if kind != "postgres":
        return settings.lake_catalog
    limits = {
        name: value
        for name, value in TIME_LIMITS.items()
        if not (name == "connect_timeout" and "PGCONNECT_TIMEOUT" in os.environ)
    }
    # They come first: libpq takes what is said last, which is what the user says.
    if address.startswith(("postgresql://", "postgres://")):
        server, _, words = address.partition("?")
        return f"{kind}:{server}?{urlencode(limits)}{words and '&'}{words}"
    return f"{kind}:{' '.join(map('='.join, limits.items()))} {address}"


def extension_directory() -> str | None:
    """The folder that DuckDB's extensions are kept in; unset, DuckDB's own choice."""
    return os.environ.get("DUCKDB_EXTENSION_DIRECTORY")


def _configuration() -> dict[str, str | bool | int | float | list[str]]:
    folder = extension_directory()
    # Pods have a read-only root, and DuckDB's default is .tmp in the working directory. Processes
    # that shared a folder would overwrite each other's temporary files.
    scratch = {"temp_directory": f"{gettempdir()}/duckdb-{os.getpid()}"}
    return {**scratch, "extension_directory": folder} if folder else {**scratch}


def _lake_secret(settings: LakeSettings) -> str:
    return (
        "CREATE OR REPLACE SECRET weather_lake (TYPE ducklake"
        f", METADATA_PATH {literal(catalog_address(settings))}"
        f", DATA_PATH {literal(data_path(settings))})"
    )


def _attachment(*, snapshot_id: int | None, create: bool) -> str:
    options = [f"CREATE_IF_NOT_EXISTS {create}"]
    if snapshot_id is not None:
        options += ["READ_ONLY", f"SNAPSHOT_VERSION {snapshot_id}"]
    return f"ATTACH 'ducklake:weather_lake' AS lake ({', '.join(options)})"


def lake_id_query(catalog: str = METADATA) -> str:
    """Return the SQL that selects a lake's id from its catalog; dbt runs the same SQL."""
    return (
        f"SELECT CAST(schema_uuid AS VARCHAR) AS lake_id FROM {catalog}.ducklake_schema"  # noqa: S608
        " WHERE schema_id = 0"
    )


def lake_id(connection: "duckdb.DuckDBPyConnection", catalog: str = METADATA) -> str:
    """Return the id that a lake shares with its backups and with no other lake.

    Args:
        connection: the connection that has the catalog attached.
        catalog: the catalog's database or schema; by default, that of the attached lake.
    """
    row = connection.execute(lake_id_query(catalog)).fetchone()
    assert row is not None
    return str(row[0])


def tables_of(lake: "duckdb.DuckDBPyConnection", database: str = "lake") -> list[str]:
    """The tables of an attached lake that hold data, by name."""
    rows = lake.execute(
        "SELECT table_name FROM duckdb_tables()"
        " WHERE database_name = ? AND NOT ends_with(table_name, ?) ORDER BY 1",
        [database, WRITE_LOCK],
    ).fetchall()
    return [table for (table,) in rows]


def current_snapshot_id(lake: "duckdb.DuckDBPyConnection") -> int:
    """The newest snapshot of an attached lake."""
    row = lake.execute("SELECT max(snapshot_id) FROM lake.snapshots()").fetchone()
    assert row is not None
    return int(row[0])


def snapshot_of_readers(
    published: Published | None, lake: "duckdb.DuckDBPyConnection"
) -> int | None:
    """The published snapshot, if it is one of this attached lake."""
    if published is None or published.snapshot_id > current_snapshot_id(lake):
        return None
    return published.snapshot_id if published.lake in (None, lake_id(lake)) else None


def require_published_lake(published: Published, lake: "duckdb.DuckDBPyConnection") -> None:
    """Refuse to read a snapshot of another lake that has the same number.

    Raises:
        StepError: the attached lake is not the published one.
    """
    if published.lake not in (None, attached := lake_id(lake)):
        raise StepError(
            f"{PUBLISHED_KEY} names snapshot {published.snapshot_id} of the lake {published.lake}, "
            f"but LAKE_CATALOG is the catalog of the lake {attached}. Set LAKE_CATALOG to the "
            "published lake's; if that is lost, run rebuild, or restore a backup.",
            ExitCode.SETTING,
        )
