"""Supervise a child process, and end its process tree when its owners have ended.

    python -m local.supervisor run <lock file> <grace seconds> <folder> <command...>
    python -m local.supervisor watch <lock file> <grace seconds> <process id>

Owners hold a shared lock on the lock file. The operating system releases the lock however an owner
ends, so that the supervisor, a process apart, ends the child after a `kill -9` as well.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType

import psutil

POLL_SECONDS = 0.1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Exception of a stop signal. Like KeyboardInterrupt, not a subclass of Exception."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


def raise_on_signal() -> None:
    """Raise Interrupted on the first stop signal, and ignore later signals.

    A second Ctrl-C would otherwise cut short the shutdown of services that the first one began.
    """

    def interrupt(number: int, _frame: FrameType | None) -> None:
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(number)

    for each in STOP_SIGNALS:
        signal.signal(each, interrupt)


class SharedLock:
    """Shared lock on a file, held until `close`. Each owner of a service holds such a lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        # Waits while a supervisor without owners ends its child.
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Lock the file exclusively. Return False if the service has another owner.

        After a success, no other process can become an owner before `close`. If the file was
        removed, the result is False, because a later file belongs to another service.
        """
        return try_lock(self._file) and self._exists()

    def _exists(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._file), self.path.stat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Release the lock."""
        os.close(self._file)


def try_lock(file: int) -> bool:
    """Lock the open `file` exclusively, unless another process has locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def exclusive_lock(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file inside the `with`. Call `waiting` if another process has locked it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        if not try_lock(file.fileno()):
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def supervise(lock: str, grace_seconds: float, folder: str, command: list[str]) -> int:
    """Run `command` until it ends, SIGTERM comes or `lock` has no owner. Return its exit code."""
    stopped = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    child = subprocess.Popen(command, cwd=folder, process_group=0)
    while child.poll() is None and not stopped and not try_lock(file):
        time.sleep(POLL_SECONDS)
    end_process_tree(child.pid, grace_seconds)
    return child.wait()


def watch(lock: str, grace_seconds: float, pid: int) -> None:
    """Wait until the process `pid` has ended, or end its process tree when `lock` has no owner.

    For a process in the terminal's foreground: as a supervisor's child it would lose the terminal.
    """
    file = os.open(lock, os.O_RDWR)
    while not try_lock(file):
        if not psutil.pid_exists(pid):
            return
        time.sleep(POLL_SECONDS)
    end_process_tree(pid, grace_seconds)


def end_process_tree(leader: int, grace_seconds: float) -> None:
    """End a process group and the leader's descendants: SIGTERM, then SIGKILL.

    The group alone would miss Airflow's tasks, which have process groups of their own. The
    descendants alone would miss processes whose parent has ended already.
    """
    tree = _descendants(leader)
    # One SIGTERM for each process: some servers end at once on a second one.
    elsewhere = [each for each in tree if not _is_in_group(each, leader)]
    _signal_group(leader, signal.SIGTERM)
    _signal(elsewhere, signal.SIGTERM)
    _, alive = psutil.wait_procs(tree, timeout=grace_seconds)
    started_since = {each for process in alive for each in _descendants(process.pid)}
    _signal({*alive, *started_since}, signal.SIGKILL)
    _signal_group(leader, signal.SIGKILL)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _is_in_group(process: psutil.Process, leader: int) -> bool:
    try:
        return os.getpgid(process.pid) == leader
    except ProcessLookupError:
        return False


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _signal_group(leader: int, number: signal.Signals) -> None:
    # macOS returns EPERM for a group that has only zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def main() -> int:
    """Run `supervise` or `watch`. Return the exit code."""
    name, lock, grace_seconds, *rest = sys.argv[1:]
    if name == "watch":
        watch(lock, float(grace_seconds), int(rest[0]))
        return 0
    return supervise(lock, float(grace_seconds), rest[0], rest[1:])


if __name__ == "__main__":
    sys.exit(main())
