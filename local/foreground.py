"""A command in the foreground of the user's terminal, with the session's services beside it."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from local.keeper import end_family
from local.processes import guarded
from local.signals import AskedToEnd

PATIENCE = 10.0


def run_in_foreground(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command with our own terminal and standard streams; its exit code.

    Ctrl-C is the command's own business, as in any shell. When we are asked to end, the command
    is ended first; of a command that a signal ends, the exit code is 128 plus its number.
    """
    with _ctrl_c_left_to_it():
        process = subprocess.Popen(arguments, env=dict(environment))
        with guarded(process.pid):
            try:
                process.wait()
            except AskedToEnd:
                end_family(process.pid, PATIENCE)
                raise
    code = process.returncode
    return code if code >= 0 else 128 - code


@contextmanager
def _ctrl_c_left_to_it() -> Iterator[None]:
    """In a terminal SIGINT reaches the command by itself; elsewhere it asks us to end."""
    if not sys.stdin.isatty():
        yield
        return
    # A handler and not SIG_IGN, which the command would inherit.
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
