"""Attach the lake to DuckDB: catalog in SQLite or Postgres, Parquet files in the S3 store."""

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
"""DuckDB extensions that must be installed for a lake with any kind of catalog."""

METADATA = "__ducklake_metadata_lake"
"""Name of the database that DuckLake attaches for the lake's catalog."""

WRITE_LOCK = "_write_lock"
"""Suffix of the one-row tables by which overlapping dbt transactions conflict."""

POSTGRES_TIMEOUTS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""Timeouts of a Postgres catalog, in seconds. Only `tcp_user_timeout` is in milliseconds."""

STORE_TIMEOUTS = {"http_timeout": 8, "http_retries": 1, "http_retry_wait_ms": 1000}
"""DuckDB's HTTP timeouts: a write to an unresponsive store fails after six attempts and 54 s.

With the defaults, 30 s and 3 retries, a write takes 6 minutes to fail.
"""


@contextmanager
def attached_lake(
    settings: LakeSettings, *, snapshot_id: int | None = None, create: bool = False
) -> Iterator["duckdb.DuckDBPyConnection"]:
    """Open a DuckDB connection with the lake attached as `lake`, its current database.

    Args:
        settings: addresses of catalog and store.
        snapshot_id: attach the lake read-only at this snapshot.
        create: create an empty lake if there is none.

    Raises:
        StepError: catalog or store are unreachable, there is no lake yet, or a query in the `with`
            block fails.
    """
    access = S3Access(settings)
    with closing(_prepared(settings, access)) as connection:
        with _step_errors(settings):
            connection.execute(_attachment(snapshot_id=snapshot_id, create=create))
            connection.execute("USE lake")
        with _step_errors(settings, "read or written"):
            yield connection


class LakeConnection:
    """DuckDB connection for one thread that attaches a lake many times.

    Extensions are loaded once, because loading takes 0.3 s of CPU time; attaching takes 10 ms.
    """

    def __init__(self, settings: LakeSettings) -> None:
        self._settings = settings
        self._access = S3Access(settings)
        self._connection: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def attached(self, snapshot_id: int) -> Iterator["duckdb.DuckDBPyConnection"]:
        """Attach the lake at this snapshot, as `attached_lake` does.

        Raises:
            StepError: the catalog is unreachable, or there is no lake or no such snapshot.
        """
        if self._connection is None:
            self._connection = _prepared(self._settings, self._access)
            # An idle connection should hold no threads and no cached files.
            self._connection.execute("SET threads = 1")
            self._connection.execute("SET enable_external_file_cache = false")
        with _step_errors(self._settings):
            self._access.renew(self._connection)
            self._connection.execute(_attachment(snapshot_id=snapshot_id, create=False))
        try:
            with _step_errors(self._settings):
                self._connection.execute("USE lake")
            yield self._connection
            with _step_errors(self._settings):
                self._connection.execute("USE memory")
                self._connection.execute("DETACH lake")
        except BaseException:
            # The connection's state is unknown after an error, so reconnect.
            self._connection.close()
            self._connection = None
            raise


def data_path(settings: LakeSettings) -> str:
    """Return the URL of the folder with the tables' files."""
    return f"{settings.bucket_url}/transformed/"


def _prepared(settings: LakeSettings, access: S3Access) -> "duckdb.DuckDBPyConnection":
    """Open a connection that has the extensions and secrets to attach the lake."""
    import duckdb

    connection = duckdb.connect(config=_configuration())
    try:
        with _step_errors(settings):
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
    """Set DuckDB's timeouts, and create its secrets for the store and the catalog.

    Raises:
        StepError: there are no credentials for the store.
    """
    for name, value in STORE_TIMEOUTS.items():
        # Global, because dbt opens cursors.
        connection.execute(f"SET GLOBAL {name} = {value}")
    access.configure(connection)
    connection.execute(_lake_secret(settings))


@contextmanager
def _step_errors(settings: LakeSettings, action: str = "opened") -> Iterator[None]:
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        reason = _without_secrets(first_line(error), settings)
        if UNTRUSTED.search(reason):
            raise StepError(
                f"The lake cannot be {action}: {reason}. {TRUST_ADVICE}", ExitCode.SETTING
            ) from None
        kind, _, file = settings.lake_catalog.partition(":")
        place = f" (catalog {file})" if kind == "sqlite" else ""
        raise StepError(
            f"The lake{place} cannot be {action}: {reason}. {_advice(reason)}",
            ExitCode.UNAVAILABLE,
        ) from None


def _advice(reason: str) -> str:
    """Return advice for the user on an error message of DuckDB."""
    if re.search("is not a database|disk image is malformed", reason):
        return (
            "The catalog's file is damaged: move it away, then restore a backup "
            "(docs/runbooks/restore-from-backup.md) or rebuild the lake from raw/ "
            "(docs/runbooks/rebuild-the-lake.md)."
        )
    if re.search("disk is full|disk I/O error|No space left", reason):
        return "Free disk space, then run the task again."
    if re.search("readonly database|unable to open database file|Permission denied", reason):
        return "Check that the catalog's folder exists and is writable."
    return "Check LAKE_CATALOG and AWS_ENDPOINT_URL, and that catalog and store are running."


def first_line(error: BaseException) -> str:
    """Return an error's message as one line, with the catalog's error if the message has one."""
    message = str(error).strip()
    line = (message.splitlines() or [type(error).__name__])[0].rstrip(".")
    # The catalog's error follows DuckLake's query.
    refused = re.search(r'^Failed to .*Failed to execute query ".*": +(.+)', message, re.MULTILINE)
    return f"{line}: {' '.join(refused[1].split())}" if refused else line


def _without_secrets(message: str, settings: LakeSettings) -> str:
    """Remove the store's password and the address of a Postgres catalog from a message."""
    catalog = catalog_address(settings)
    secrets = [*filter(None, (settings.aws_secret_access_key, settings.aws_session_token))]
    if not catalog.startswith("sqlite:"):
        secrets = [catalog, catalog.partition(":")[2], *secrets]
    for secret in secrets:
        message = message.replace(secret, "...")
    return message


def catalog_address(settings: LakeSettings) -> str:
    """Return the catalog's address for DuckLake, with timeouts for Postgres."""
    kind, _, address = settings.lake_catalog.partition(":")
    if kind != "postgres":
        return settings.lake_catalog
    timeouts = {
        name: value
        for name, value in POSTGRES_TIMEOUTS.items()
        if not (name == "connect_timeout" and "PGCONNECT_TIMEOUT" in os.environ)
    }
    # Before the user's own parameters, because libpq takes the last value of each.
    if address.startswith(("postgresql://", "postgres://")):
        server, _, parameters = address.partition("?")
        return f"{kind}:{server}?{urlencode(timeouts)}{parameters and '&'}{parameters}"
    return f"{kind}:{' '.join(map('='.join, timeouts.items()))} {address}"


def extension_directory() -> str | None:
    """Return the folder of DuckDB's extensions, or None for DuckDB's default."""
    return os.environ.get("DUCKDB_EXTENSION_DIRECTORY")


def _configuration() -> dict[str, str | bool | int | float | list[str]]:
    folder = extension_directory()
    # DuckDB's default is .tmp in the working directory, but pods have a read-only root. Processes
    # with a shared folder would overwrite each other's temporary files.
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
    """Return the SQL that selects a lake's id from its catalog. dbt runs the same SQL."""
    return (
        f"SELECT CAST(schema_uuid AS VARCHAR) AS lake_id FROM {catalog}.ducklake_schema"  # noqa: S608
        " WHERE schema_id = 0"
    )


def lake_id(connection: "duckdb.DuckDBPyConnection", catalog: str = METADATA) -> str:
    """Return the lake's unique id, which a restored backup has too.

    Args:
        connection: the connection that has the catalog attached.
        catalog: the catalog's database or schema; by default, that of the attached lake.
    """
    row = connection.execute(lake_id_query(catalog)).fetchone()
    assert row is not None
    return str(row[0])


def tables_of(lake: "duckdb.DuckDBPyConnection", database: str = "lake") -> list[str]:
    """List the names of an attached lake's tables, without the write-lock tables."""
    rows = lake.execute(
        "SELECT table_name FROM duckdb_tables()"
        " WHERE database_name = ? AND NOT ends_with(table_name, ?) ORDER BY 1",
        [database, WRITE_LOCK],
    ).fetchall()
    return [table for (table,) in rows]


def current_snapshot_id(lake: "duckdb.DuckDBPyConnection") -> int:
    """Return the newest snapshot of an attached lake."""
    row = lake.execute("SELECT max(snapshot_id) FROM lake.snapshots()").fetchone()
    assert row is not None
    return int(row[0])


def snapshot_of_readers(
    published: Published | None, lake: "duckdb.DuckDBPyConnection"
) -> int | None:
    """Return the published snapshot if it belongs to this attached lake, or None."""
    if published is None or published.snapshot_id > current_snapshot_id(lake):
        return None
    return published.snapshot_id if published.lake in (None, lake_id(lake)) else None


def require_published_lake(published: Published, lake: "duckdb.DuckDBPyConnection") -> None:
    """Check that the published snapshot belongs to the attached lake.

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
