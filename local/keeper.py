"""Keeps one service running for as long as its lease is held, and then ends all of it.

A process of its own, `python -m local.keeper <lease> <seconds> <folder> <command...>`, so that it
outlives whoever started the service: also after a `kill -9` of that one, the service is ended.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

import psutil

from local.lease import lock_at_once

POLL_SECONDS = 0.1


def keep(lease: str, patience: float, folder: str, command: list[str]) -> int:
    """Run `command` until it ends, SIGTERM comes or `lease` is not held; return its exit code."""
    stopped = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    lease_file = os.open(lease, os.O_RDWR | os.O_CREAT, 0o600)
    service = subprocess.Popen(command, cwd=folder, process_group=0)
    while service.poll() is None and not stopped and not lock_at_once(lease_file):
        time.sleep(POLL_SECONDS)
    end_family(service.pid, patience)
    return service.wait()


def end_family(leader: int, patience: float) -> None:
    """End the process group `leader` and its descendants: SIGTERM, and SIGKILL after `patience`.

    The group alone would miss the tasks that Airflow puts into groups of their own; the
    descendants alone would miss those whose parent has ended already.
    """
    family = _descendants(leader)
    # Each only once: some servers take a second SIGTERM for impatience.
    elsewhere = [each for each in family if not _is_in_group(each, leader)]
    _signal_group(leader, signal.SIGTERM)
    _signal(elsewhere, signal.SIGTERM)
    _, alive = psutil.wait_procs(family, timeout=patience)
    latecomers = {each for process in alive for each in _descendants(process.pid)}
    _signal({*alive, *latecomers}, signal.SIGKILL)
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
    # macOS answers EPERM for a group of which only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4:]))
