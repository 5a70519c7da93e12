"""How a service knows that somebody still needs it.

Everyone who needs a service holds its lease: a shared lock on a file. The operating system takes
the lock away when its holder ends, however it ends, so nothing is left running by a `kill -9`.
"""

import fcntl
import os
from pathlib import Path


class Lease:
    """The need for one service, from here until `give_up`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        # Waits while a keeper that nobody needed any more is ending its service.
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def give_up(self) -> bool:
        """Whether nobody else needs the service; nobody new can, then, before `close`."""
        return lock_at_once(self._file)

    def close(self) -> None:
        """End the need."""
        os.close(self._file)


def lock_at_once(file: int) -> bool:
    """Lock the open `file` for this process alone, if that needs no waiting."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
