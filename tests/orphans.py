"""End the processes of a test run after pytest was killed.

`python -m tests.orphans <mark>` waits until its standard input is closed: the operating system
closes it when pytest ends or is killed. All processes that tests start inherit the mark in their
environment, also in new sessions.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import psutil

MARK = "PYTEST_RUN_MARK"
SECONDS_TO_END = 5


def end_orphans_after_this_process() -> None:
    """Mark all later child processes, to end them after this process."""
    name = uuid4().hex
    reader, writer = os.pipe()
    watcher = subprocess.Popen(
        [sys.executable, "-m", "tests.orphans", name],
        cwd=Path(__file__).resolve().parents[1],
        stdin=reader,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(reader)
    os.set_inheritable(writer, False)
    # Without this, subprocess would warn that the process is still running.
    watcher.returncode = 0
    os.environ[MARK] = name


def mark() -> dict[str, str]:
    """Return the environment variable that marks this test run's processes."""
    return {MARK: os.environ[MARK]}


def _marked(name: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == name:
                yield process


def _end_all(name: str) -> None:
    # Again, because what is ended may have started something meanwhile.
    while found := list(_marked(name)):
        for process in found:
            with suppress(psutil.Error):
                process.terminate()
        _, alive = psutil.wait_procs(found, timeout=SECONDS_TO_END)
        for process in alive:
            with suppress(psutil.Error):
                process.kill()


if __name__ == "__main__":
    sys.stdin.read()
    _end_all(sys.argv[1])
