"""The API as a process of its own, as users start it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.patience import PATIENCE

PROJECT = Path(__file__).parents[2]
SERVING = re.compile(r"Uvicorn running on (http://127\.0\.0\.1:\d+)")


def start_api(
    environment: Mapping[str, str], log: Path, *, drain_seconds: float = 0
) -> subprocess.Popen[bytes]:
    """Start the API on a port that the system chooses."""
    command = [sys.executable, "-m", "api", "--port", "0", "--drain-seconds", str(drain_seconds)]
    with log.open("wb") as file:
        return subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**_without_settings(os.environ), **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
        )


@contextmanager
def running_api(environment: Mapping[str, str], log: Path) -> Iterator[httpx.Client]:
    """A client of an API that runs for as long as the block lasts."""
    process = start_api(environment, log)
    try:
        with httpx.Client(base_url=address_of(log), timeout=PATIENCE, trust_env=False) as client:
            yield client
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def address_of(log: Path) -> str:
    """Where the API answers, once it has said so in its log and looked at the lake."""
    eventually(lambda: SERVING.search(log.read_text()))
    address = SERVING.search(log.read_text())
    assert address is not None
    # It serves before that, where the lake takes long to answer.
    eventually(lambda: readiness(address[1])["checked_at"])
    return address[1]


def readiness(address: str) -> dict[str, Any]:
    """What `/readyz` says there, over a connection of its own."""
    answer = httpx.get(f"{address}/readyz", timeout=PATIENCE, trust_env=False)
    return dict(answer.json())


def eventually(holds: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until it holds.

    Raises:
        TimeoutError: it does not within those seconds.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("It does not hold")
        time.sleep(0.05)


def _without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(("WEATHER_", "LAKE_", "AWS_"))
    }
