"""The environment variables of the one-machine runtime."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from local.credentials import Credentials
from local.folders import DAGS, DBT_PROJECT, PROJECT, State
from weather.ducklake import POSTGRES_TIMEOUTS

UNSUITABLE = (
    # Of another interpreter than .venv's.
    "PYTHONHOME",
    # Of the `make` around us: one that is started inside is none of its parts.
    "CMD",
    "COMMAND",
    "MAKEFLAGS",
    "MAKELEVEL",
    "MFLAGS",
)
OTHER_S3_IDENTITIES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")


def with_defaults(outside: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    """`outside`, and `defaults` for what is unset or empty there."""
    return {**outside, **{name: value for name, value in defaults.items() if not outside.get(name)}}


def base_environment(
    outside: Mapping[str, str], credentials: Credentials, state: State
) -> dict[str, str]:
    """Everything but the addresses of services: settings of `outside` win, defaults fill in.

    Programs of .venv, packages of the project and direct connections to this machine come first
    whatever `outside` says.
    """
    kept = {name: value for name, value in outside.items() if name not in UNSUITABLE}
    environment = with_defaults(kept, {**_defaults(state), **_airflow_defaults(state, credentials)})
    if not outside.get("AIRFLOW_HOME"):
        environment = with_defaults(environment, _airflow_places(state.airflow_home, outside))
    environment |= search_paths(outside)
    if address := outside.get("AWS_ENDPOINT_URL_S3"):
        # The S3 clients prefer it, so that it names the store.
        environment["AWS_ENDPOINT_URL"] = address
    # Where both are set, clients read the one in small letters.
    direct = outside.get("no_proxy") or outside.get("NO_PROXY")
    for name in ("NO_PROXY", "no_proxy"):
        environment[name] = _joined(",", direct, "127.0.0.1", "localhost")
    return environment


def search_paths(outside: Mapping[str, str]) -> dict[str, str]:
    """What lets a process find the programs of .venv and the packages of the project."""
    return {
        "VIRTUAL_ENV": sys.prefix,
        "PATH": _joined(os.pathsep, Path(sys.executable).parent, outside.get("PATH")),
        "PYTHONPATH": _joined(os.pathsep, PROJECT, outside.get("PYTHONPATH")),
    }


def _defaults(state: State) -> dict[str, str]:
    return {
        "HOME": _home(state),
        "WEATHER_RUNTIME": "local",
        "WEATHER_LOCATIONS": str(DAGS / "locations.yaml"),
        "DUCKDB_EXTENSION_DIRECTORY": str(state.duckdb_extensions),
        "DBT_PROFILES_DIR": str(DBT_PROJECT),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        # dbt opens a catalog in Postgres without the limits that weather.lake adds.
        "PGCONNECT_TIMEOUT": POSTGRES_TIMEOUTS["connect_timeout"],
    }


def _airflow_defaults(state: State, credentials: Credentials) -> dict[str, str]:
    home = state.airflow_home
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
        "AIRFLOW__COSMOS__CACHE_DIR": str(state.cosmos_cache),
        "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def _home(state: State) -> str:
    """The user's home, or the state's folder where passwd has none: dbt does not start without."""
    try:
        return str(Path.home())
    except RuntimeError:
        return str(state.root)


def _airflow_places(home: Path, outside: Mapping[str, str]) -> dict[str, str]:
    """The settings that Airflow derives from AIRFLOW_HOME; its templates break at a `%` in it."""
    places = {
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{quote(str(home / 'airflow.db'))}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(
            home / "logs" / "dag_processor"
        ),
    }
    elsewhere = ("_CMD", "_SECRET")
    return {
        name: place
        for name, place in places.items()
        if not any(outside.get(name + kind) for kind in elsewhere)
    }


def _joined(separator: str, *parts: str | Path | None) -> str:
    return separator.join(str(part) for part in parts if part)
