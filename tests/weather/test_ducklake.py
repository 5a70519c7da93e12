"""Messages and timeouts of a lake that cannot be opened."""

import os
import resource
import socket
import tempfile
from concurrent.futures import wait
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from api.data.lake import in_background
from tests.api.silent_catalog import silent_catalog
from weather.ducklake import POSTGRES_TIMEOUTS, STORE_TIMEOUTS, attached_lake
from weather.errors import ExitCode, StepError
from weather.settings import LakeSettings, read_settings

pytestmark = pytest.mark.slow

ATTEMPTS_FOR_A_WRITE = 6
"""DuckDB's undocumented number of attempts for http_retries = 1."""


def failure(
    catalog: str, monkeypatch: pytest.MonkeyPatch, advice: str = "LAKE_CATALOG and AWS_ENDPOINT_URL"
) -> str:
    """Open the lake of that catalog, and return the error."""
    monkeypatch.setenv("LAKE_CATALOG", catalog)
    with (
        pytest.raises(StepError, match=advice) as failed,
        attached_lake(read_settings(LakeSettings), create=True),
    ):
        pass
    assert failed.value.exit_code == ExitCode.UNAVAILABLE
    return str(failed.value)


@pytest.mark.parametrize(
    "catalog",
    [
        "postgres:host=127.0.0.1 port=1 dbname=hush-hush user=weather",
        "postgres:postgresql://weather@127.0.0.1:1/hush-hush",
        "postgres:postgresql://weather@127.0.0.1:1/hush-hush?sslmode=disable",
    ],
)
def test_the_message_has_names_of_settings_without_values(
    environment: None, monkeypatch: pytest.MonkeyPatch, catalog: str
) -> None:
    assert "hush-hush" not in failure(catalog, monkeypatch)


@pytest.mark.parametrize("address", ["host={} port={} user=weather", "postgresql://weather@{}:{}"])
def test_a_silent_catalog_times_out(
    environment: None, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setitem(POSTGRES_TIMEOUTS, "connect_timeout", "2")
    with silent_catalog() as port:
        catalog = f"postgres:{address.format('127.0.0.1', port)}"
        opening = in_background(lambda: failure(catalog, monkeypatch))
        # At most 60 s: the end of the block closes the connection.
        wait([opening], 60)
        assert opening.done()
    assert "timeout" in opening.result()


@pytest.mark.parametrize(
    "catalog",
    [
        "postgres:host=127.0.0.1 port=1 connect_timeout=soon",
        "postgres:postgresql://127.0.0.1:1/lake?connect_timeout=soon",
    ],
)
def test_a_connect_timeout_in_the_catalog_address_applies(
    environment: None, monkeypatch: pytest.MonkeyPatch, catalog: str
) -> None:
    assert 'invalid integer value "soon"' in failure(catalog, monkeypatch)


def test_pgconnect_timeout_applies(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "soon")
    assert 'invalid integer value "soon"' in failure("postgres:host=127.0.0.1", monkeypatch)


def test_a_damaged_catalog_is_reported_with_the_remedy(
    environment: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "bob's 100% lake.sqlite"
    # A file that is not a database, and a database truncated by a full disk.
    file.write_text("not a database, " * 1000)
    assert str(file) in failure(f"sqlite:{file}", monkeypatch, "file is damaged: move it away")
    file.unlink()
    with attached_lake(read_settings(LakeSettings), create=True):
        pass
    file.write_bytes(file.read_bytes()[:20_000])
    assert str(file) in failure(f"sqlite:{file}", monkeypatch, "rebuild the lake from raw/")


@pytest.mark.parametrize("place", ["nowhere/lake.sqlite", ""])
def test_a_catalog_in_a_missing_folder_is_reported(
    environment: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    catalog = f"sqlite:{tmp_path / place}"
    assert str(tmp_path) in failure(catalog, monkeypatch, "folder exists and is writable")


def test_spilled_data_goes_to_the_scratch_volume(
    environment: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # A pod's working directory is read-only. Root cannot write to a removed one either.
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with attached_lake(read_settings(LakeSettings), create=True) as lake:
        lake.execute("SET memory_limit = '100MB'")
        lake.execute("SET threads = 1")
        rows = lake.execute(
            "select count(*) from "
            "(select distinct 'much longer than it is ' || range from range(2e6::bigint))"
        ).fetchall()
        assert rows == [(2_000_000,)]
        assert [each.name for each in scratch.iterdir()] == [f"duckdb-{os.getpid()}"]


def test_writes_to_an_unresponsive_store_fail_after_retries(
    environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STORE_TIMEOUTS, "http_timeout", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        settings = read_settings(LakeSettings)
        with (
            pytest.raises(StepError, match="HTTP PUT") as failed,
            attached_lake(settings, create=True) as lake,
        ):
            lake.execute(f"COPY (SELECT 1) TO '{settings.bucket_url}/one.parquet'")
        silent.setblocking(False)
        attempts = 0
        with suppress(BlockingIOError):
            while True:
                silent.accept()[0].close()
                attempts += 1
    assert failed.value.exit_code == ExitCode.UNAVAILABLE
    assert attempts == ATTEMPTS_FOR_A_WRITE


def test_dbt_times_out_within_a_minute_on_a_silent_store(environment: None) -> None:
    from weather.lake.dbt_plugin import Plugin

    names = ", ".join(f"current_setting('{name}')" for name in STORE_TIMEOUTS)
    with duckdb.connect(
        config={"extension_directory": os.environ["DUCKDB_EXTENSION_DIRECTORY"]}
    ) as connection:
        connection.execute("LOAD httpfs; LOAD ducklake")
        Plugin("store", {}).configure_connection(connection)
        # dbt builds each model with a cursor.
        limits = connection.cursor().execute(f"SELECT {names}").fetchall()
    assert limits == [tuple(STORE_TIMEOUTS.values())]
    assert (
        ATTEMPTS_FOR_A_WRITE
        * (STORE_TIMEOUTS["http_timeout"] + STORE_TIMEOUTS["http_retry_wait_ms"] / 1000)
        < 60
    )


def test_a_full_disk_is_reported(
    environment: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A larger file fails as on a full disk. Python ignores the signal that the kernel sends.
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        message = failure(f"sqlite:{tmp_path / 'lake.sqlite'}", monkeypatch, "Free disk space")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(tmp_path / "lake.sqlite") in message
    with attached_lake(read_settings(LakeSettings), create=True):
        """Opening the lake works afterwards."""
