"""Fixtures for the lake's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline import Pipeline
from tests.weather.lake.filled_lake import fill
from tests.weather.lake.postgres_catalog import HAS_POSTGRES, NO_POSTGRES, PASSWORD, running_catalog
from weather.errors import ExitCode
from weather.lake.__main__ import main
from weather.lake.backup_storage import FolderStorage


@pytest.fixture
def folder(tmp_path: Path) -> FolderStorage:
    """An empty backup storage."""
    return FolderStorage(tmp_path / "backup")


@pytest.fixture(params=["sqlite", "postgres"])
def lake(
    request: pytest.FixtureRequest, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pipeline]:
    """A lake after two runs, with its catalog in either database."""
    if request.param == "sqlite":
        fill(pipeline)
        yield pipeline
        return
    if not HAS_POSTGRES:
        pytest.skip(NO_POSTGRES)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with running_catalog() as catalog:
        monkeypatch.setenv("LAKE_CATALOG", catalog.address)
        assert main(["create"]) == ExitCode.OK
        fill(pipeline)
        yield pipeline


@pytest.fixture
def lake_in_sqlite(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A lake after two runs, with a quote in the name of the folder for temporary files."""
    odd = tmp_path / "bob's tmp"
    odd.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(odd))
    fill(pipeline)
    return pipeline
