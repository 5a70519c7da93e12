"""Fixtures for several folders: S3 server, replay server, lake and pipeline steps."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest

from local.environment import search_paths
from local.store import S3Server, running_store
from tests.orphans import end_orphans_after_this_process
from tests.pipeline import Pipeline
from tests.replay_server import replay_server
from weather.duckdb_extensions import install_extensions

# pytest's `pythonpath` does not reach the processes that tests start.
os.environ.update(search_paths(os.environ))

SLOW_FIXTURES = {
    "airflow_environment",
    "browser",
    "helm",
    "minio",
    "pages_lake",
    "pipeline",
    "promtool",
    "serve",
}
"""Fixtures that start slow processes: Airflow, dbt, helm, a browser, a server for each test."""

# Hypothesis's deadline is meaningless on a busy machine.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


def pytest_configure(config: pytest.Config) -> None:
    """End all processes of this test run at its end, workers of pytest-xdist included."""
    if not hasattr(config, "workerinput"):
        end_orphans_after_this_process()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use a slow fixture, which `make test-fast` leaves out."""
    for item in items:
        if SLOW_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def kept_working_directory() -> Iterator[None]:
    """Fail a test that changes the working directory for later tests."""
    before = Path.cwd()
    yield
    after = Path.cwd()
    os.chdir(before)
    assert after == before


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server for all tests."""
    with running_store(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def duckdb_extensions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of DuckDB's extensions."""
    folder = tmp_path_factory.mktemp("bob's 100% extensions")
    install_extensions(folder)
    return folder


@pytest.fixture(scope="session")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a replay server without faults."""
    with replay_server(log=tmp_path_factory.mktemp("replay") / "replay.log") as url:
        yield url


@pytest.fixture(scope="session")
def dbt_target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of dbt's partial parse, shared by all tests."""
    return tmp_path_factory.mktemp("target")


@pytest.fixture
def environment(
    s3_server: S3Server,
    duckdb_extensions: Path,
    dbt_target: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Set a new bucket and a new lake in the environment of one test."""
    for name in list(os.environ):
        if name.startswith(("WEATHER_", "OPEN_METEO_", "LAKE_", "AWS_", "DBT_")):
            monkeypatch.delenv(name)
    settings = {
        **s3_server.environment,
        "WEATHER_BUCKET": f"weather-{uuid4().hex}",
        "LAKE_CATALOG": f"sqlite:{tmp_path}/bob's 100% lake.sqlite",
        "DUCKDB_EXTENSION_DIRECTORY": str(duckdb_extensions),
        "DBT_TARGET_PATH": str(dbt_target),
        "DBT_LOG_PATH": str(tmp_path),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def pipeline(environment: None, replay: str, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """An empty lake, and the replay server as the source."""
    monkeypatch.setenv("OPEN_METEO_URL", replay)
    monkeypatch.setenv("OPEN_METEO_ARCHIVE_URL", replay)
    made = Pipeline(monkeypatch)
    made.create()
    return made
