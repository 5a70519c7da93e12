"""What must be there before the DAG can run: made once, and again only when its source changes."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from local.credentials import Credentials, write_private
from local.folders import DBT_PROJECT, State
from local.lease import one_at_a_time
from local.processes import Command, program, python_module, run_step

MANIFEST = DBT_PROJECT / "target" / "manifest.json"
MADE_BY_DBT = {"target", "logs", "dbt_packages"}


def prepare(
    environment: Mapping[str, str],
    credentials: Credentials,
    state: State,
    done: Callable[[str], None],
) -> None:
    """Make DuckDB's extensions, the lake, dbt's manifest and Airflow's database, as needed.

    The store must be running. `done` is told of each thing made; StepError is raised with the
    last lines of what fails.
    """
    airflow_home = Path(environment["AIRFLOW_HOME"])
    extensions = Path(environment["DUCKDB_EXTENSION_DIRECTORY"])

    def install() -> None:
        # A process of its own, because DuckDB turns Ctrl-C into an error of the query.
        run("duckdb extensions", python_module("weather.duckdb_extensions", str(extensions)))

    def parse() -> None:
        # dbt uses what it has parsed only where profile and target are named as Cosmos does.
        profile = ["--profile", "weather", "--target", "lake"]
        # Or a DBT_TARGET_PATH from outside would take it where the DAG does not look.
        places = ["--project-dir", str(DBT_PROJECT), "--target-path", str(MANIFEST.parent)]
        run("dbt parse", [program("dbt"), "parse", *places, *profile])

    def migrate() -> None:
        passwords = Path(environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
        write_private(passwords, {"admin": credentials.airflow_password})
        run("airflow db migrate", [program("airflow"), "db", "migrate"])

    def run(name: str, arguments: list[str]) -> None:
        run_step(Command(name, arguments, environment, state.log(name.replace(" ", "-"))))

    if _once(extensions / "made-for", version("duckdb"), install):
        done("DuckDB's extensions installed")
    with one_at_a_time(state.root / "lake.lock"):
        # Each time, because only the lake's own catalog knows whether there is one.
        run("lake", python_module("weather.lake", "create"))
    done("lake ready")
    if _once(MANIFEST.with_name("made-from"), _hash_of_project(), parse):
        done("dbt's manifest made")
    if _once(airflow_home / "made-for", _database(environment), migrate):
        done("Airflow's database made")


def _once(stamp: Path, source: str, make: Callable[[], None]) -> bool:
    """Call `make` unless it was called for this `source` before; whether it was called."""
    with one_at_a_time(stamp.with_suffix(".lock")):
        with suppress(FileNotFoundError):
            if stamp.read_text() == source:
                return False
        make()
        stamp.write_text(source)
    return True


def _hash_of_project() -> str:
    """A hash of everything that dbt parses, of its version and of the project's own folder."""
    content = hashlib.sha256(f"{version('dbt-core')} {DBT_PROJECT}".encode())
    for path in sorted(DBT_PROJECT.rglob("*")):
        name = path.relative_to(DBT_PROJECT)
        if path.is_file() and name.parts[0] not in MADE_BY_DBT:
            content.update(f"{name}\n".encode() + path.read_bytes())
    return content.hexdigest()


def _database(environment: Mapping[str, str]) -> str:
    """Airflow's version and, without the password in it, which database it is."""
    address = environment.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "")
    return f"{version('apache-airflow')} {hashlib.sha256(address.encode()).hexdigest()}"
