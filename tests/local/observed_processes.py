"""Observe other processes."""

import time
from collections.abc import Callable

import psutil

from tests.timeouts import TIMEOUT_SECONDS


def wait_for(condition: Callable[[], object], seconds: float = TIMEOUT_SECONDS) -> None:
    """Poll `condition` until it is true, or fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition is still false"
        time.sleep(0.05)


def running_with(words: str) -> list[psutil.Process]:
    """Return all processes whose command line contains `words`."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        is_alive = process.info["status"] != psutil.STATUS_ZOMBIE
        if is_alive and words in " ".join(process.info["cmdline"] or []):
            found.append(process)
    return found


def watchers_of(owner: int) -> list[psutil.Process]:
    """Return the supervisors that the process has started for foreground processes."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "ppid"])
        if process.info["ppid"] == owner
        and {"local.supervisor", "watch"} <= set(process.info["cmdline"] or [])
    ]
