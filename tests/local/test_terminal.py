import os
import pty
import sys

from local.folders import PROJECT

# What `make up` is: a parent that Ctrl-C would end, and a child that ends in order by itself.
PARENT = """
"$PYTHON" -c "$CHILD"
echo "child's exit code: $?"
"""

CHILD = """
import time
from local.signals import AskedToEnd, raise_when_asked_to_end
from local.terminal import ctrl_c_for_us_alone

raise_when_asked_to_end()
with ctrl_c_for_us_alone():
    try:
        print("ready", flush=True)
        time.sleep(60)
    except AskedToEnd:
        print("ended in order", flush=True)
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
    assert b"ended in order" in output
