"""Start the API as a process."""

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

from tests.timeouts import TIMEOUT_SECONDS

PROJECT = Path(__file__).parents[2]
SERVING = re.compile(r"Uvicorn running on (http://127\.0\.0\.1:\d+)")


def start_api(
    environment: Mapping[str, str],
    log: Path,
    *,
    drain_seconds: float = 0,
    folder: Path = PROJECT,
) -> subprocess.Popen[bytes]:
    """Start the API on a free port."""
    command = [sys.executable, "-m", "api", "--port", "0", "--drain-seconds", str(drain_seconds)]
    with log.open("wb") as file:
        return subprocess.Popen(
            command,
            cwd=folder,
            env={**_without_settings(os.environ), **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
        )


@contextmanager
def running_api(
    environment: Mapping[str, str], log: Path, *, folder: Path = PROJECT
) -> Iterator[httpx.Client]:
    """Yield a client of an API that runs until the block ends."""
    process = start_api(environment, log, folder=folder)
    try:
        with httpx.Client(
            base_url=address_of(log), timeout=TIMEOUT_SECONDS, trust_env=False
        ) as client:
            yield client
    finally:
        process.terminate()
        process.wait(timeout=TIMEOUT_SECONDS)


def address_of(log: Path) -> str:
    """Return the API's URL after the API has logged the URL and checked the lake."""
    eventually(lambda: SERVING.search(log.read_text()))
    address = SERVING.search(log.read_text())
    assert address is not None
    # With a slow lake, the API serves before the first check ends.
    eventually(lambda: readiness(address[1])["checked_at"])
    return address[1]


def readiness(address: str) -> dict[str, Any]:
    """Return the body of `/readyz`, over a new connection."""
    response = httpx.get(f"{address}/readyz", timeout=TIMEOUT_SECONDS, trust_env=False)
    return dict(response.json())


def eventually(holds: Callable[[], object], seconds: float = TIMEOUT_SECONDS) -> None:
    """Wait until the condition holds.

    Raises:
        TimeoutError: the condition does not hold in time.
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
