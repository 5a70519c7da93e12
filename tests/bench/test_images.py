"""Images are measured if Docker can build images; otherwise a line reports the skip."""

import io
import os
import subprocess
from pathlib import Path

import pytest

from bench.images import measure_images, skip_reason
from local.environment import PROJECT
from local.session import Progress

WITHOUT_AN_ENGINE = "#!/bin/sh\nexit 1\n"
WITHOUT_BUILDX = '#!/bin/sh\necho 28.2.2\n[ "$1" = version ]\n'
"""A `docker` without buildx: `docker buildx version` fails."""


@pytest.mark.parametrize(
    ("docker", "reason"),
    [
        (None, "cannot reach a Docker engine"),
        (WITHOUT_AN_ENGINE, "cannot reach a Docker engine"),
        (WITHOUT_BUILDX, "Docker has no buildx"),
    ],
)
def test_a_skip_is_reported_if_images_cannot_be_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, docker: str | None, reason: str
) -> None:
    if docker:
        make_program(tmp_path / "docker", docker)
    monkeypatch.setenv("PATH", str(tmp_path))
    output = io.StringIO()
    assert measure_images(Progress(output), rounds=1) == []
    assert output.getvalue().count("\n") == 1
    assert f"skipped: sizes and starts of the images: {reason}" in output.getvalue()


def test_make_images_reports_missing_buildx_in_one_line(tmp_path: Path) -> None:
    make_program(tmp_path / "docker", WITHOUT_BUILDX)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["scripts/images"],
        cwd=PROJECT,
        env=os.environ | {"PATH": path, "WEATHER_IMAGE_TAG": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("images: Docker has no buildx")


def test_an_older_docker_has_buildkit_without_buildx(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = '#!/bin/sh\necho 20.10.24+dfsg1\n[ "$1" = version ]\n'
    make_program(tmp_path / "docker", older)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert skip_reason() is None


def make_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
