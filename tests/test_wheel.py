"""The package `weather` as a wheel, for another team's Airflow."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[1]
PROGRAMS = ("ingest", "lake", "replay")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv = Path(sys.executable).parent / "uv"
    command: list[str | Path] = [
        uv,
        "build",
        "--quiet",
        "--offline",
        "--wheel",
        "--out-dir",
        folder,
        PROJECT,
    ]
    subprocess.run(command, check=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_contains_only_the_package(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        lines = archive.read(metadata).decode().splitlines()
    assert tops == {"weather", metadata.partition("/")[0]}
    assert {line for line in lines if line.startswith("Provides-Extra: ")} == {
        f"Provides-Extra: {name}" for name in (*PROGRAMS, "store-setup")
    }


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_start_without_the_repository(wheel: Path, program: str, tmp_path: Path) -> None:
    started = subprocess.run(
        [sys.executable, "-P", "-m", f"weather.{program}", "--help"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (started.returncode, started.stderr) == (0, "")
    assert "usage: " in started.stdout
