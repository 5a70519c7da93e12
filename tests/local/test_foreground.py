"""Ctrl-C in a terminal reaches only the foreground process."""

import os
import pty
import sys

from local.environment import PROJECT

# As in `make up`: a parent that Ctrl-C would end, and a child that shuts down by itself.
PARENT = """
"$PYTHON" -c "$CHILD"
echo "child's exit code: $?"
"""

CHILD = """
import time
from local.supervisor import Interrupted, raise_on_signal
from local.up import foreground

raise_on_signal()
with foreground():
    try:
        print("ready", flush=True)
        time.sleep(60)
    except Interrupted:
        print("shut down", flush=True)
"""


def test_ctrl_c_reaches_the_child_and_not_the_parent() -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        settings = os.environ | {
            "PYTHON": sys.executable,
            "CHILD": CHILD,
            "PYTHONPATH": str(PROJECT),
        }
        os.execve("/bin/sh", ["sh", "-c", PARENT], settings)
    output = b""
    while b"ready" not in output:
        output += os.read(terminal, 1024)
    os.write(terminal, b"\x03")
    while b"exit code: 0" not in output:
        output += os.read(terminal, 1024)
    # Closing the terminal before its end would hang the parent up.
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)
    assert b"shut down" in output
