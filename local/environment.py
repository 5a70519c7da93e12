"""The state directory, the services' passwords, and the environment variables of every command."""

import base64
import hashlib
import json
import os
import secrets
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote

from weather.ducklake import POSTGRES_TIMEOUTS
from weather.errors import ExitCode, StepError
from weather.settings import DEFAULT_BUCKET

PROJECT = Path(__file__).resolve().parent.parent
DAGS = PROJECT / "dags"
DBT_PROJECT = PROJECT / "dbt_project"
DAG_ID = "weather_pipeline"

NOT_INHERITED = (
    # Names another interpreter than .venv's.
    "PYTHONHOME",
    # Of the `make` that runs this command: a `make` inside the command is not a part of it.
    "CMD",
    "COMMAND",
    "MAKEFLAGS",
    "MAKELEVEL",
    "MFLAGS",
)
OTHER_S3_IDENTITIES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")


@dataclass(frozen=True)
class StateDirectory:
    """The folder of all files that the runtime writes, readable by its owner only."""

    root: Path

    def __post_init__(self) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def replay(self) -> "StateDirectory":
        """The separate state directory of a replay, because replay and weather must not mix."""
        return StateDirectory(self.root / "replay")

    @property
    def store(self) -> Path:
        """The folder of the S3 server and its data."""
        return self.root / "s3"

    def lake_catalog(self, endpoint: str, bucket: str) -> Path:
        """Return the SQLite file of a lake's catalog.

        Each lake has its own, because a catalog names files of one store. `endpoint` is empty for
        the S3 server of this runtime.
        """
        if not endpoint and bucket == DEFAULT_BUCKET:
            return self.root / "lake.sqlite"
        place = hashlib.sha256(f"{endpoint} {bucket}".encode()).hexdigest()
        return self.root / f"lake-{place[:12]}.sqlite"

    @property
    def logs(self) -> Path:
        """The folder of the services' output."""
        return self.root / "logs"

    def log(self, service: str) -> Path:
        """Return the file of a service's output."""
        return self.logs / f"{service}.log"


@dataclass(frozen=True)
class S3Keys:
    """Access key of an S3 user."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True, repr=False)
class Credentials:
    """Access key of the store, and Airflow's password and keys."""

    s3: S3Keys
    airflow_password: str
    airflow_fernet_key: str
    airflow_secret_key: str
    airflow_jwt_secret: str


def make_s3_keys() -> S3Keys:
    """Generate a random access key."""
    return S3Keys(secrets.token_hex(10).upper(), secrets.token_urlsafe(30))


def make_credentials() -> Credentials:
    """Generate random credentials, so that none is a known default."""
    return Credentials(
        s3=make_s3_keys(),
        airflow_password=secrets.token_urlsafe(12),
        airflow_fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        airflow_secret_key=secrets.token_urlsafe(32),
        airflow_jwt_secret=secrets.token_urlsafe(64),
    )


def load_credentials(path: Path) -> Credentials:
    """Read the credentials in `path`. Generate them on the first call."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(draft := path.with_suffix(f".{os.getpid()}"), asdict(make_credentials()))
        try:
            # A link instead of a rename: of two commands that start at once, the first one wins.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    try:
        content = json.loads(path.read_text())
        return Credentials(**{**content, "s3": S3Keys(**content["s3"])})
    except (ValueError, TypeError, KeyError):
        raise StepError(
            f"{path} is damaged; remove it and try again: new passwords are generated",
            ExitCode.SETTING,
        ) from None


def write_private(path: Path, content: object) -> None:
    """Write `content` as JSON, atomically, into a file that only its owner can read."""
    draft = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file, indent=2)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def with_defaults(inherited: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    """Add `defaults` for variables that are unset or empty."""
    unset = {name: value for name, value in defaults.items() if not inherited.get(name)}
    return {**inherited, **unset}


def base_environment(
    inherited: Mapping[str, str], credentials: Credentials, state: StateDirectory
) -> dict[str, str]:
    """Return all variables except the addresses of services. Inherited settings win.

    Programs of .venv, packages of the project and direct connections to this machine come first
    in any case.
    """
    kept = {name: value for name, value in inherited.items() if name not in NOT_INHERITED}
    environment = with_defaults(kept, {**_defaults(state), **_airflow(state, credentials)})
    if not inherited.get("AIRFLOW_HOME"):
        home = Path(environment["AIRFLOW_HOME"])
        environment = with_defaults(environment, _airflow_paths(home, inherited))
    environment |= search_paths(inherited)
    if address := inherited.get("AWS_ENDPOINT_URL_S3"):
        # S3 clients prefer it over AWS_ENDPOINT_URL.
        environment["AWS_ENDPOINT_URL"] = address
    # Clients that read both prefer the one in small letters.
    direct = inherited.get("no_proxy") or inherited.get("NO_PROXY")
    for name in ("NO_PROXY", "no_proxy"):
        environment[name] = _joined(",", direct, "127.0.0.1", "localhost")
    return environment


def search_paths(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that find the programs of .venv and the packages of the project."""
    return {
        "VIRTUAL_ENV": sys.prefix,
        "PATH": _joined(os.pathsep, Path(sys.executable).parent, inherited.get("PATH")),
        "PYTHONPATH": _joined(os.pathsep, PROJECT, inherited.get("PYTHONPATH")),
    }


def _defaults(state: StateDirectory) -> dict[str, str]:
    return {
        "HOME": _home(state),
        "WEATHER_RUNTIME": "local",
        "WEATHER_LOCATIONS": str(DAGS / "locations.yaml"),
        "DUCKDB_EXTENSION_DIRECTORY": str(state.root / "duckdb"),
        "DBT_PROFILES_DIR": str(DBT_PROJECT),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        # dbt opens a catalog in Postgres without the limits that weather.lake adds.
        "PGCONNECT_TIMEOUT": POSTGRES_TIMEOUTS["connect_timeout"],
    }


def _airflow(state: StateDirectory, credentials: Credentials) -> dict[str, str]:
    home = state.root / "airflow"
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API_AUTH__JWT_SECRET": credentials.airflow_jwt_secret,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__SECRET_KEY": credentials.airflow_secret_key,
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__FERNET_KEY": credentials.airflow_fernet_key,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__COSMOS__CACHE_DIR": str(state.root / "cosmos"),
        "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def _home(state: StateDirectory) -> str:
    """Return the user's home, or the state directory without one: dbt needs a HOME to start."""
    try:
        return str(Path.home())
    except RuntimeError:
        return str(state.root)


def _airflow_paths(home: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """Set the paths that Airflow derives from AIRFLOW_HOME, because its templates fail at a `%`."""
    logs = home / "logs"
    paths = {
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{quote(str(home / 'airflow.db'))}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(logs),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(logs / "dag_processor"),
    }
    other_forms = ("_CMD", "_SECRET")
    return {
        name: path
        for name, path in paths.items()
        if not any(inherited.get(name + form) for form in other_forms)
    }


def _joined(separator: str, *parts: str | Path | None) -> str:
    return separator.join(str(part) for part in parts if part)
