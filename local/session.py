"""Prepare every command: settings, source, S3 store, lake, Airflow database."""

import contextlib
import hashlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TextIO

from local.environment import (
    DBT_PROJECT,
    OTHER_S3_IDENTITIES,
    Credentials,
    S3Keys,
    StateDirectory,
    base_environment,
    load_credentials,
    with_defaults,
    write_private,
)
from local.processes import (
    LOOPBACK,
    Command,
    HttpServer,
    Service,
    program,
    python_module,
    run_step,
    running_server,
)
from local.source import running_source
from local.store import S3Server, running_store
from local.supervisor import exclusive_lock
from weather.dbt_environment import PROFILE
from weather.published import PUBLISHED_KEY, SOURCE_KEY
from weather.settings import DEFAULT_BUCKET, StoreSettings
from weather.source import REPLAY
from weather.storage import Store

MANIFEST = DBT_PROJECT / "target" / "manifest.json"
WRITTEN_BY_DBT = {"target", "logs", "dbt_packages"}


@dataclass
class Progress:
    """Printer of one line for each finished part of a command, with the seconds since the start."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    _start: float = field(default_factory=time.monotonic)

    def done(self, text: str) -> None:
        """Print `text` after the seconds since the start."""
        print(f"{time.monotonic() - self._start:6.1f} s  {text}", file=self.stream, flush=True)


@dataclass(frozen=True)
class Session:
    """Settings and services of one command.

    `store` and `replay` are None if inherited settings name another store or source.
    """

    environment: Mapping[str, str]
    attribution: str
    credentials: Credentials
    state: StateDirectory
    store: S3Server | None
    replay: Service | None

    def require_running(self) -> None:
        """Raise StepError with the last lines of the log if one of the services has ended."""
        if self.store:
            self.store.require_running(self.state.log("s3"))
        if self.replay:
            self.replay.require_running()


@contextlib.contextmanager
def running_session(
    inherited: Mapping[str, str],
    state: StateDirectory,
    progress: Progress,
    *,
    s3_port: int | None = None,
) -> Iterator[Session]:
    """Run the source and the S3 server inside the `with`, and prepare lake, dbt and Airflow.

    Inherited settings win: no store is started if they name one, and no replay server if they name
    a source.
    """
    credentials = load_credentials(state.root / "credentials.json")
    base = base_environment(inherited, credentials, state)
    progress.done("environment ready")
    with running_source(base, state.log("replay")) as source:
        progress.done(source.message)
        lake_state = state.replay if source.replay else state
        keys, log = credentials.s3, state.log("s3")
        with _with_store(
            with_defaults(base, source.environment), keys, lake_state, s3_port, log
        ) as (stored, store):
            progress.done(f"S3 store at {stored['AWS_ENDPOINT_URL']}")
            catalog = lake_state.lake_catalog(
                base.get("AWS_ENDPOINT_URL", ""), base.get("WEATHER_BUCKET") or DEFAULT_BUCKET
            )
            environment = with_defaults(stored, {"LAKE_CATALOG": f"sqlite:{catalog}"})
            if store and store.has_new_bucket and not base.get("LAKE_CATALOG"):
                _set_aside(catalog, store.folder, progress)
            if source.replay:
                mark_replay(environment)
            prepare(environment, credentials, state, progress.done)
            yield Session(environment, source.attribution, credentials, state, store, source.replay)


@contextlib.contextmanager
def running_api(environment: Mapping[str, str], port: int, log: Path) -> Iterator[HttpServer]:
    """Run the API on `port` inside the `with`."""
    serve = python_module("api", "--host", LOOPBACK, "--drain-seconds", "0")
    with running_server(Command("the API", serve, environment, log), port) as server:
        yield server


def mark_replay(environment: Mapping[str, str]) -> None:
    """Write the missing source.json of a replay's lake that an older version published."""
    settings = StoreSettings.model_validate(
        {
            name: environment[name.upper()]
            for name in StoreSettings.model_fields
            if environment.get(name.upper())
        }
    )
    store = Store(settings)
    if store.get(SOURCE_KEY) is None and store.get(PUBLISHED_KEY) is not None:
        store.put(SOURCE_KEY, REPLAY.model_dump_json().encode())


def _set_aside(catalog: Path, folder: Path, progress: Progress) -> None:
    """Rename a catalog whose store was removed, because the catalog's data files are lost."""
    if not catalog.exists():
        return
    kept = catalog.with_name(f"{catalog.name}.{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    for suffix in ("", "-journal", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{catalog}{suffix}").rename(f"{kept}{suffix}")
    progress.done(
        f"the store in {folder} was removed, and with it raw/ and all weather before this run:"
        f" starting with an empty lake; the old catalog is kept as {kept.name}"
    )


@contextlib.contextmanager
def _with_store(
    environment: Mapping[str, str],
    generated: S3Keys,
    state: StateDirectory,
    port: int | None,
    log: Path,
) -> Iterator[tuple[Mapping[str, str], S3Server | None]]:
    """Yield the environment with the configured store, or with a new local S3 server."""
    if environment.get("AWS_ENDPOINT_URL"):
        yield environment, None
        return
    keys = S3Keys(
        environment.get("AWS_ACCESS_KEY_ID") or generated.access_key_id,
        environment.get("AWS_SECRET_ACCESS_KEY") or generated.secret_access_key,
    )
    bucket = environment.get("WEATHER_BUCKET") or DEFAULT_BUCKET
    with running_store(state.store, bucket=bucket, keys=keys, port=port, log=log) as server:
        stored = with_defaults(environment, server.environment)
        # Clients would send them beside this store's keys, and the store would reject them.
        yield {name: stored[name] for name in stored if name not in OTHER_S3_IDENTITIES}, server


def prepare(
    environment: Mapping[str, str],
    credentials: Credentials,
    state: StateDirectory,
    done: Callable[[str], None],
) -> None:
    """Create DuckDB's extensions, the lake, dbt's manifest and Airflow's database if missing.

    `done` is called with a message for each thing made.

    Raises:
        StepError: a program fails.
    """
    airflow_home = Path(environment["AIRFLOW_HOME"])
    extensions = Path(environment["DUCKDB_EXTENSION_DIRECTORY"])

    def install() -> None:
        # In a process apart, because DuckDB turns Ctrl-C into an error of the query.
        run("duckdb extensions", python_module("weather.duckdb_extensions", str(extensions)))

    def parse() -> None:
        # The DAG reads the manifest there, whatever DBT_TARGET_PATH is.
        paths = ["--project-dir", str(DBT_PROJECT), "--target-path", str(MANIFEST.parent)]
        run("dbt parse", [program("dbt"), "parse", *paths, *PROFILE])

    def migrate() -> None:
        passwords = Path(environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
        write_private(passwords, {"admin": credentials.airflow_password})
        run("airflow db migrate", [program("airflow"), "db", "migrate"])

    def run(name: str, arguments: list[str]) -> None:
        run_step(Command(name, arguments, environment, state.log(name.replace(" ", "-"))))

    if _once(extensions / "made-for", version("duckdb"), install):
        done("DuckDB's extensions installed")
    with exclusive_lock(state.root / "lake.lock"):
        # Each time, because only the lake's own catalog knows whether the lake exists.
        run("lake", python_module("weather.lake", "create"))
    done("lake ready")
    if _once(MANIFEST.with_name("made-from"), _project_hash(), parse):
        done("dbt's manifest made")
    if _once(airflow_home / "made-for", _database(environment), migrate):
        done("Airflow's database made")


def _once(stamp: Path, source: str, make: Callable[[], None]) -> bool:
    """Call `make` unless the file `stamp` contains `source`. Return True after a call."""
    with exclusive_lock(stamp.with_suffix(".lock")):
        with contextlib.suppress(FileNotFoundError):
            if stamp.read_text() == source:
                return False
        make()
        stamp.write_text(source)
    return True


def _project_hash() -> str:
    """Return a hash of dbt's version, the project's folder and every file that dbt parses."""
    content = hashlib.sha256(f"{version('dbt-core')} {DBT_PROJECT}".encode())
    for path in sorted(DBT_PROJECT.rglob("*")):
        name = path.relative_to(DBT_PROJECT)
        if path.is_file() and name.parts[0] not in WRITTEN_BY_DBT:
            content.update(f"{name}\n".encode() + path.read_bytes())
    return content.hexdigest()


def _database(environment: Mapping[str, str]) -> str:
    """Return Airflow's version and a hash of its database's address, which has a password."""
    address = environment.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "")
    return f"{version('apache-airflow')} {hashlib.sha256(address.encode()).hexdigest()}"
