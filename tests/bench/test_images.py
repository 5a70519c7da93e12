"""Images are measured where there is an engine to run them, and left out aloud elsewhere."""

import io
from pathlib import Path

import pytest

from bench.images import measure_images
from local.progress import Progress


def test_without_a_docker_engine_a_line_says_what_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said = io.StringIO()
    assert measure_images(Progress(said), rounds=1) == []
    assert said.getvalue().count("\n") == 1
    assert "left out: sizes and starts of the images, for no Docker engine answers" in (
        said.getvalue()
    )
