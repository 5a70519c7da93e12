"""How a service knows that somebody still needs it.

Everyone who needs a service holds its lease: a shared lock on a file. The operating system takes
the lock away when its holder ends, however it ends, so nothing is left running by a `kill -9`.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        """Take the lock alone if no other process holds the lease; return whether this succeeded.

        After a success, no other process can take the lease before `close`. If the file was
        removed, the result is False, because a later file belongs to another service.
        """
        return lock_at_once(self._file) and self._is_there()

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._file), self.path.stat())
        except FileNotFoundError:
            return False

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


@contextmanager
def one_at_a_time(lock: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the file `lock` inside the `with`; `waiting` is called if another process has it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        if not lock_at_once(file.fileno()):
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
