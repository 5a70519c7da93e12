"""A state directory for each test, and Python programs to run."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.environment import PROJECT, StateDirectory


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path / "state")


@pytest.fixture
def outside() -> dict[str, str]:
    """An environment without settings of the pipeline."""
    prefixes = ("AIRFLOW", "AWS_", "DBT_", "DUCKDB_", "LAKE_", "OPEN_METEO_", "WEATHER_")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


@pytest.fixture
def python(tmp_path: Path) -> Iterator[Callable[[str], "subprocess.Popen[str]"]]:
    """Factory of child processes that run Python code and can import the project."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
