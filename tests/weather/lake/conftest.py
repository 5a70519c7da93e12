"""What tests of several steps need."""

from pathlib import Path

import pytest

from weather.lake.places import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A place for a backup."""
    return Folder(tmp_path / "backup")
