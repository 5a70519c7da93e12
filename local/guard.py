"""Ends a process that runs in the foreground of a terminal when its lease is held no more.

`python -m local.guard <lease> <pid>`: a keeper (see local.keeper) cannot start such a process,
because it would have no terminal; it can only be watched.
"""

import os
import sys
import time

import psutil

from local.keeper import POLL_SECONDS, end_family
from local.lease import lock_at_once

PATIENCE = 2.0


def guard(lease: str, pid: int) -> None:
    """Wait until the process `pid` has ended, or end it when nobody holds `lease`."""
    lease_file = os.open(lease, os.O_RDWR)
    while not lock_at_once(lease_file):
        if not psutil.pid_exists(pid):
            return
        time.sleep(POLL_SECONDS)
    end_family(pid, PATIENCE)


if __name__ == "__main__":
    guard(sys.argv[1], int(sys.argv[2]))
