"""Ctrl-C for this command alone, when `make` has started it in a terminal."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ctrl_c_for_us_alone() -> Iterator[None]:
    """Take the terminal's foreground inside the `with`.

    Otherwise `make` would get the signal as well, and end with an error whatever we do.
    """
    if not sys.stdin.isatty() or os.tcgetpgrp(0) != os.getpgrp() or os.getpid() == os.getpgrp():
        yield
        return
    group = os.getpgrp()
    # Who is not in the foreground is stopped when it takes it, unless it ignores that.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    # Ctrl-Z would stop us and not `make`, and leave a terminal that nobody reads.
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
    try:
        yield
    finally:
        os.tcsetpgrp(0, group)
