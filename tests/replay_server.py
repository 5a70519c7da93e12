"""Run the replay server in a separate process, in place of Open-Meteo."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.timeouts import TIMEOUT_SECONDS

PROJECT = Path(__file__).resolve().parents[1]
SERVING = "replay: serving "


def set_faults(url: str, rules: str) -> None:
    """Replace the server's faults."""
    response = httpx.post(
        f"{url}/replay/faults", content=rules, timeout=TIMEOUT_SECONDS, trust_env=False
    )
    response.raise_for_status()


@contextmanager
def replay_server(
    faults: str = "", log: Path | None = None, folder: Path = PROJECT
) -> Iterator[str]:
    """Run the replay on a free port inside the `with`, and yield its URL.

    Args:
        faults: the rules at the start; `set_faults` replaces them.
        log: a file for its log; by default, the test's output.
        folder: the project whose replay server runs.

    Raises:
        RuntimeError: the server did not start.
    """
    with (log or Path(os.devnull)).open("ab") as log_file:
        process = subprocess.Popen(
            [sys.executable, "-m", "weather.replay", "--port", "0"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder), "REPLAY_FAULTS": faults},
            stdout=subprocess.PIPE,
            stderr=log_file if log else None,
            text=True,
        )
    assert process.stdout is not None
    with process, process.stdout:
        try:
            line = process.stdout.readline()
            if not line.startswith(SERVING):
                raise RuntimeError(f"The replay server did not start: {line or 'see its log'}")
            yield line.removeprefix(SERVING).strip()
        finally:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
