"""What tests of several steps need."""

from pathlib import Path

import pytest

from weather.lake.backup_storage import FolderStorage


@pytest.fixture
def folder(tmp_path: Path) -> FolderStorage:
    """A place for a backup."""
    return FolderStorage(tmp_path / "backup")
