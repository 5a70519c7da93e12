"""Prepare a real Postgres server: first start, later starts, and the roles' rights."""

import re
import shutil
from collections.abc import Iterator

import pytest

from tests.chart.helm import PROJECT
from tests.chart.postgres_server import Volume, empty_volume, query

PASSWORDS = {
    "AIRFLOW_PASSWORD": "passwordOfAirflow",
    "LAKE_WRITER_PASSWORD": "passwordOfTheWriter",
    "LAKE_READER_PASSWORD": "pass'word \\of $the \"Reader",
}
AIRFLOW = ("airflow", "airflow", "passwordOfAirflow")
WRITER = ("lake_writer", "lake", "passwordOfTheWriter")
READER = ("lake_reader", "lake", PASSWORDS["LAKE_READER_PASSWORD"])

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(shutil.which, ("initdb", "pg_ctl", "postgres", "psql", "pg_dump"))),
        reason="Postgres server not found: put initdb, pg_ctl, postgres and psql on PATH",
    ),
]


@pytest.fixture(scope="module")
def volume() -> Iterator[Volume]:
    """A volume after the first start, with a table of the writer."""
    with empty_volume() as volume:
        first = volume.prepare(PASSWORDS)
        assert first.returncode == 0, first.stderr
        with volume.server() as port:
            assert query(port, *WRITER, "CREATE TABLE early AS SELECT 1 AS i") == ""
        yield volume


@pytest.fixture(scope="module")
def port(volume: Volume) -> Iterator[int]:
    """Port of the server after a second start."""
    again = volume.prepare(PASSWORDS)
    assert again.returncode == 0, again.stderr
    with volume.server() as port:
        yield port


@pytest.mark.parametrize("role", [AIRFLOW, WRITER])
def test_an_owner_creates_and_reads_tables(port: int, role: tuple[str, str, str]) -> None:
    assert query(port, *role, "CREATE TABLE own AS SELECT 41 AS i") == ""
    assert query(port, *role, "UPDATE own SET i = i + 1 RETURNING i") == "42"


def test_the_reader_reads_old_and_new_tables_of_the_writer(port: int) -> None:
    assert query(port, *READER, "SELECT i FROM early") == "1"
    assert query(port, *WRITER, "CREATE TABLE late AS SELECT 2 AS i") == ""
    assert query(port, *READER, "SELECT i FROM late") == "2"


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO early VALUES (3)",
        "UPDATE early SET i = 3",
        "DELETE FROM early",
        "TRUNCATE early",
        "DROP TABLE early",
        "CREATE TABLE mine (i integer)",
        "CREATE TEMPORARY TABLE mine (i integer)",
        "CREATE SCHEMA mine",
    ],
)
def test_the_reader_cannot_write(port: int, statement: str) -> None:
    output = query(port, *READER, statement)
    assert "permission denied" in output or "must be owner" in output
    assert query(port, *READER, "SELECT i FROM early") == "1"


@pytest.mark.parametrize(
    ("role", "database", "password"),
    [
        ("airflow", "lake", "passwordOfAirflow"),
        ("lake_writer", "airflow", "passwordOfTheWriter"),
        ("lake_reader", "airflow", PASSWORDS["LAKE_READER_PASSWORD"]),
        ("lake_writer", "postgres", "passwordOfTheWriter"),
        ("postgres", "postgres", ""),
        ("postgres", "lake", ""),
    ],
)
def test_a_role_can_connect_only_to_its_database(
    port: int, role: str, database: str, password: str
) -> None:
    assert "no pg_hba.conf entry" in query(port, role, database, password, "SELECT 1")


@pytest.mark.parametrize(("role", "database", "_"), [AIRFLOW, WRITER, READER])
@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_password_is_required(port: int, role: str, database: str, _: str, password: str) -> None:
    output = query(port, role, database, password, "SELECT 1")
    assert "password" in output
    assert "failed" in output


def test_roles_have_no_administrator_rights(port: int) -> None:
    roles = (
        "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolcanlogin"
        " AND NOT (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)"
    )
    assert query(port, *AIRFLOW, roles) == "airflow lake_reader lake_writer"


@pytest.fixture
def empty() -> Iterator[Volume]:
    """An empty volume."""
    with empty_volume() as volume:
        yield volume


def test_a_later_start_keeps_data_and_sets_new_passwords(empty: Volume) -> None:
    """A reinstallation keeps the volume, and a crash leaves the volume unchanged."""
    assert empty.prepare(PASSWORDS).returncode == 0
    with empty.server() as port:
        assert query(port, *WRITER, "CREATE TABLE kept AS SELECT 7 AS i") == ""
        # Like a table from before the default privileges of the reader.
        assert query(port, *WRITER, "REVOKE ALL ON kept FROM lake_reader") == ""
        assert "permission denied" in query(port, *READER, "TABLE kept")
        empty.crash()
    new = {name: f"{password}2" for name, password in PASSWORDS.items()}
    assert empty.prepare(new).returncode == 0
    with empty.server() as port:
        for role, database, password in (WRITER, READER):
            assert "failed" in query(port, role, database, password, "TABLE kept")
            assert query(port, role, database, f"{password}2", "TABLE kept") == "7"


def test_an_interrupted_first_start_is_repeated(empty: Volume) -> None:
    half = empty.folder / "pgdata.unfinished"
    empty.make_folder(half)
    assert empty.prepare(PASSWORDS).returncode == 0
    assert not half.exists()


def test_a_group_writable_folder_gets_mode_700(empty: Volume) -> None:
    assert empty.prepare(PASSWORDS).returncode == 0
    empty.data.chmod(0o770)
    assert empty.prepare(PASSWORDS).returncode == 0
    assert empty.data.stat().st_mode & 0o777 == 0o700


def test_a_missing_password_is_reported_first(empty: Volume) -> None:
    result = empty.prepare({"AIRFLOW_PASSWORD": "one", "LAKE_WRITER_PASSWORD": "two"})
    assert result.returncode == 64
    assert result.stderr.splitlines() == [
        "postgres: LAKE_READER_PASSWORD is missing; add this key to the Secret weather-postgres"
    ]
    assert not empty.data.exists()


def test_a_failed_statement_shows_no_password(empty: Volume) -> None:
    statements = empty.files / "roles.sql"
    right = statements.read_text(encoding="utf-8")
    assert right.count("ALTER ROLE lake_reader") == 1
    statements.write_text(right.replace("ROLE lake_reader LOGIN", "ROLE unknown LOGIN"), "utf-8")
    failed = empty.prepare(PASSWORDS)
    assert failed.returncode != 0
    assert 'role "unknown" does not exist' in failed.stderr
    output = failed.stdout + failed.stderr
    assert not any(password in output for password in PASSWORDS.values())
    statements.write_text(right, "utf-8")
    assert empty.prepare(PASSWORDS).returncode == 0


def test_the_runbook_restores_airflows_database(volume: Volume, port: int) -> None:
    page = (PROJECT / "docs" / "runbooks" / "upgrade-airflow.md").read_text(encoding="utf-8")
    [keep] = re.findall(r" -- (pg_dump .*) > airflow\.dump", page)
    [put_back] = re.findall(r" -- (pg_restore .*) < airflow\.dump", page)
    assert query(port, *AIRFLOW, "CREATE TABLE old AS SELECT 1 AS i") == ""
    dump = volume.inside(port, keep)
    assert query(port, *AIRFLOW, "CREATE TABLE new AS SELECT 2 AS i; UPDATE old SET i = 2") == ""
    volume.inside(port, put_back, dump)
    assert query(port, *AIRFLOW, "UPDATE old SET i = i + 10 RETURNING i") == "11"
    assert "does not exist" in query(port, *AIRFLOW, "SELECT i FROM new")
    allowed = "SELECT has_database_privilege('lake_reader', 'airflow', 'CONNECT')"
    assert query(port, *AIRFLOW, allowed) == "f"
