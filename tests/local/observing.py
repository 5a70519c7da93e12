"""What a test can see of other processes."""

import time
from collections.abc import Callable

import psutil

from tests.patience import PATIENCE


def wait_for(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until `condition` holds; an assertion fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def running_with(words: str) -> list[psutil.Process]:
    """The processes whose command line contains `words`, whoever has started them."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        is_alive = process.info["status"] != psutil.STATUS_ZOMBIE
        if is_alive and words in " ".join(process.info["cmdline"] or []):
            found.append(process)
    return found


def guards_of(owner: int) -> list[psutil.Process]:
    """The guards that the process has started; others of this machine have their own."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "ppid"])
        if process.info["ppid"] == owner and "local.guard" in (process.info["cmdline"] or [])
    ]
