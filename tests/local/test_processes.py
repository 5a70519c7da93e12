"""Run services and steps as child processes that end with their owner."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from local.processes import Command, run_step, running, watched
from tests.local.observed_processes import running_with, wait_for, watchers_of
from weather.errors import StepError

FAMILY = """
import os, subprocess, sys, time
child = [sys.executable, "-c", "import time; time.sleep(60)", sys.argv[1]]
subprocess.Popen(child)
subprocess.Popen(child, start_new_session=True)
print("ready", flush=True)
time.sleep(60)
"""

STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


def command(tmp_path: Path, code: str, grace_seconds: float = 5) -> Command:
    """Return a Python program whose command line contains `tmp_path`."""
    arguments = [sys.executable, "-c", code, str(tmp_path)]
    return Command("the example", arguments, os.environ, tmp_path / "log", grace_seconds)


def is_ready(tmp_path: Path) -> bool:
    return "ready" in (tmp_path / "log").read_text()


def test_a_services_process_tree_is_ended(tmp_path: Path) -> None:
    with running(command(tmp_path, FAMILY)) as service:
        service.wait_until(lambda: is_ready(tmp_path), 60)
        # The supervisor, the service, its child, and the child in a separate session.
        assert len(running_with(str(tmp_path))) == 4
    assert not running_with(str(tmp_path))


def test_a_service_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    with running(command(tmp_path, STUBBORN, grace_seconds=0.2)) as service:
        service.wait_until(lambda: is_ready(tmp_path), 60)
    assert not running_with(str(tmp_path))


def test_a_service_is_ended_when_its_owner_is_killed(
    tmp_path: Path, python: Callable[[str], "Popen[str]"]
) -> None:
    owner = python(f"""
        import os, sys, time
        from pathlib import Path
        from local.processes import Command, running

        arguments = [sys.executable, "-c", {FAMILY!r}, {str(tmp_path)!r}]
        command = Command("the example", arguments, os.environ, Path({str(tmp_path / "log")!r}))
        with running(command):
            print("started", flush=True)
            time.sleep(60)
        """)
    assert owner.stdout is not None
    owner.stdout.readline()
    wait_for(lambda: is_ready(tmp_path))
    owner.kill()
    wait_for(lambda: not running_with(str(tmp_path)))


def test_a_foreground_command_is_ended_when_its_owner_is_killed(
    tmp_path: Path, python: Callable[[str], "Popen[str]"]
) -> None:
    owner = python(f"""
        import os, sys
        from local.shell import run_in_terminal

        code = "import time; print('ready', flush=True); time.sleep(60)"
        run_in_terminal([sys.executable, "-c", code, {str(tmp_path)!r}], os.environ)
        """)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "ready\n"
    wait_for(lambda: watchers_of(owner.pid))
    owner.kill()
    wait_for(lambda: not running_with(str(tmp_path)))


def test_a_watcher_ends_with_the_with_block() -> None:
    with watched(os.getpid()):
        (watcher,) = watchers_of(os.getpid())
    assert not watcher.is_running()


def test_an_ended_service_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    code = "import sys; print('one', flush=True); sys.exit('no such table')"
    with (
        pytest.raises(StepError, match=r"the example has ended; .*one / no such table.*log"),
        running(command(tmp_path, code)) as service,
    ):
        service.wait_until(lambda: False, 60)


def test_a_service_that_is_never_ready_is_reported(tmp_path: Path) -> None:
    with (
        pytest.raises(StepError, match="the example was not ready within 0 seconds"),
        running(command(tmp_path, STUBBORN, grace_seconds=0.2)) as service,
    ):
        service.wait_until(lambda: False, 0.2)
    assert not running_with(str(tmp_path))


def test_a_failed_step_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"the example failed; its last lines: no bucket"):
        run_step(command(tmp_path, "import sys; sys.exit('no bucket')"))


def test_only_the_exception_of_a_traceback_is_reported(tmp_path: Path) -> None:
    code = "print('before', flush=True); raise OSError(28, 'No space left on device', '/a/file')"
    with pytest.raises(StepError) as failed:
        run_step(command(tmp_path, code))
    last = "its last lines: OSError: [Errno 28] No space left on device: '/a/file'; its log"
    assert last in str(failed.value)
    assert "Traceback" in (tmp_path / "log").read_text()


def test_a_successful_step_prints_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_step(command(tmp_path, "print('much')"))
    assert capfd.readouterr() == ("", "")
    assert (tmp_path / "log").read_text() == "much\n"
