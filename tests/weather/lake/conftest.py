"""Fixtures for the lake's tests."""

from pathlib import Path

import pytest

from weather.lake.backup_storage import FolderStorage


@pytest.fixture
def folder(tmp_path: Path) -> FolderStorage:
    """An empty backup storage."""
    return FolderStorage(tmp_path / "backup")
