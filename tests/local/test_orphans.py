"""Tests that are killed leave no process."""

import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from tests.local.observed_processes import running_with, wait_for

pytestmark = pytest.mark.slow

STUBBORN = "import signal, sys, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_processes_of_killed_tests_are_ended(
    tmp_path: Path, python: Callable[[str], "Popen[str]"], end: str
) -> None:
    tests = python(f"""
        import subprocess, sys, time
        from tests.orphans import end_orphans_after_this_process

        end_orphans_after_this_process()
        for session in (False, True):
            arguments = [{sys.executable!r}, "-c", {STUBBORN!r}, {str(tmp_path)!r}]
            subprocess.Popen(arguments, start_new_session=session)
        print("started", flush=True)
        time.sleep(600)
        """)
    assert tests.stdout is not None
    assert tests.stdout.readline() == "started\n"
    assert len(running_with(STUBBORN + " " + str(tmp_path))) == 2
    getattr(tests, end)()
    wait_for(lambda: not running_with(str(tmp_path)))
