"""Postgres's preparation, on a real server: first start, later starts, and who may do what."""

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
        reason="no Postgres server on PATH: what prepares it is not run",
    ),
]


@pytest.fixture(scope="module")
def volume() -> Iterator[Volume]:
    """A volume after the first start, on which the writer has made a table."""
    with empty_volume() as volume:
        first = volume.prepare(PASSWORDS)
        assert first.returncode == 0, first.stderr
        with volume.server() as port:
            assert query(port, *WRITER, "CREATE TABLE early AS SELECT 1 AS i") == ""
        yield volume


@pytest.fixture(scope="module")
def port(volume: Volume) -> Iterator[int]:
    """The server after another start."""
    again = volume.prepare(PASSWORDS)
    assert again.returncode == 0, again.stderr
    with volume.server() as port:
        yield port


@pytest.mark.parametrize("who", [AIRFLOW, WRITER])
def test_an_owner_makes_and_reads_tables(port: int, who: tuple[str, str, str]) -> None:
    assert query(port, *who, "CREATE TABLE own AS SELECT 41 AS i") == ""
    assert query(port, *who, "UPDATE own SET i = i + 1 RETURNING i") == "42"


def test_the_reader_reads_what_the_writer_has_made_and_will_make(port: int) -> None:
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
def test_the_reader_changes_nothing(port: int, statement: str) -> None:
    answer = query(port, *READER, statement)
    assert "permission denied" in answer or "must be owner" in answer
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
def test_nobody_reaches_another_database_over_the_network(
    port: int, role: str, database: str, password: str
) -> None:
    assert "no pg_hba.conf entry" in query(port, role, database, password, "SELECT 1")


@pytest.mark.parametrize(("role", "database", "_"), [AIRFLOW, WRITER, READER])
@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_password_is_asked_for(
    port: int, role: str, database: str, _: str, password: str
) -> None:
    answer = query(port, role, database, password, "SELECT 1")
    assert "password" in answer
    assert "failed" in answer


def test_no_role_of_the_network_is_more_than_a_role(port: int) -> None:
    roles = (
        "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolcanlogin"
        " AND NOT (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)"
    )
    assert query(port, *AIRFLOW, roles) == "airflow lake_reader lake_writer"


@pytest.fixture
def empty() -> Iterator[Volume]:
    """A volume that nothing is on yet."""
    with empty_volume() as volume:
        yield volume


def test_a_later_start_keeps_the_data_and_takes_new_passwords(empty: Volume) -> None:
    """As after an installation over an older one's volume, or after a crash."""
    assert empty.prepare(PASSWORDS).returncode == 0
    with empty.server() as port:
        assert query(port, *WRITER, "CREATE TABLE kept AS SELECT 7 AS i") == ""
        # As a table that was made before its maker's tables were the reader's to see.
        assert query(port, *WRITER, "REVOKE ALL ON kept FROM lake_reader") == ""
        assert "permission denied" in query(port, *READER, "TABLE kept")
        empty.crash()
    new = {name: f"{password}2" for name, password in PASSWORDS.items()}
    assert empty.prepare(new).returncode == 0
    with empty.server() as port:
        for role, database, password in (WRITER, READER):
            assert "failed" in query(port, role, database, password, "TABLE kept")
            assert query(port, role, database, f"{password}2", "TABLE kept") == "7"


def test_a_first_start_that_was_cut_short_is_begun_anew(empty: Volume) -> None:
    half = empty.folder / "pgdata.unfinished"
    empty.make_folder(half)
    assert empty.prepare(PASSWORDS).returncode == 0
    assert not half.exists()


def test_a_folder_that_kubernetes_has_opened_to_the_group_is_closed(empty: Volume) -> None:
    assert empty.prepare(PASSWORDS).returncode == 0
    empty.data.chmod(0o770)
    assert empty.prepare(PASSWORDS).returncode == 0
    assert empty.data.stat().st_mode & 0o777 == 0o700


def test_a_missing_password_is_named_before_anything_is_made(empty: Volume) -> None:
    result = empty.prepare({"AIRFLOW_PASSWORD": "one", "LAKE_WRITER_PASSWORD": "two"})
    assert result.returncode == 64
    assert result.stderr.splitlines() == [
        "postgres: LAKE_READER_PASSWORD is missing; add this key to the Secret weather-postgres"
    ]
    assert not empty.data.exists()


def test_a_failed_statement_shows_no_password_and_leaves_no_server(empty: Volume) -> None:
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


def test_airflow_s_database_comes_back_by_the_commands_of_its_page(
    volume: Volume, port: int
) -> None:
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
