"""Services as child processes: started with a log of their own, watched, and ended whole."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp

import psutil

from local.folders import PROJECT
from local.lease import Lease
from weather.exit_codes import StepError

POLL_SECONDS = 0.05
LAST_LINES = 5


@dataclass(frozen=True)
class Command:
    """A program to run as a service.

    `patience` is how many seconds it is given to end by itself before it is killed.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    patience: float = 5.0


def python_module(name: str, *arguments: str) -> list[str]:
    """The command that runs the module `name` with .venv's Python."""
    return [sys.executable, "-m", name, *arguments]


def program(name: str) -> str:
    """The path of a program that .venv has."""
    return str(Path(sys.executable).with_name(name))


def start_keeper(command: Command, lease: Path) -> subprocess.Popen[bytes]:
    """Start `command` under a keeper that ends it when nobody holds `lease` any more."""
    command.log.parent.mkdir(parents=True, exist_ok=True)
    with command.log.open("wb") as log:
        return subprocess.Popen(
            python_module("local.keeper", str(lease), str(command.patience), *command.arguments),
            cwd=PROJECT,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches us alone: services end in order, the last one started first.
            start_new_session=True,
        )


def wait_until_healthy(
    command: Command,
    keeper: subprocess.Popen[bytes],
    is_healthy: Callable[[], bool],
    timeout: float,
) -> None:
    """Wait until `is_healthy`.

    Raises StepError with the last lines of the service's log when it ends before that, or is
    not healthy within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not is_healthy():
        if keeper.poll() is not None:
            raise StepError(f"{command.name} ended at its start; {describe_log(command.log)}")
        if time.monotonic() > deadline:
            raise StepError(
                f"{command.name} did not answer within {timeout:.0f} seconds;"
                f" {describe_log(command.log)}"
            )
        time.sleep(POLL_SECONDS)


def is_keeper(pid: int, lease: Path) -> bool:
    """Whether the process `pid` is the keeper of the service with that `lease`."""
    try:
        return str(lease) in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False


def end_keeper(pid: int) -> None:
    """End the keeper `pid` and with it its service, and wait until both are gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        keeper = psutil.Process(pid)
        keeper.terminate()
        keeper.wait()


@contextlib.contextmanager
def running(
    command: Command, is_healthy: Callable[[], bool], timeout: float = 60.0
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` as a service that is healthy inside the `with` and gone after it."""
    command.log.parent.mkdir(parents=True, exist_ok=True)
    file, path = mkstemp(dir=command.log.parent, suffix=".lease")
    os.close(file)
    lease = Lease(Path(path))
    keeper = start_keeper(command, lease.path)
    try:
        wait_until_healthy(command, keeper, is_healthy, timeout)
        # The keeper has it open by now; without a name it cannot be left behind.
        lease.path.unlink()
        yield keeper
    finally:
        end_keeper(keeper.pid)
        keeper.wait()
        lease.path.unlink(missing_ok=True)
        lease.close()


def run_step(command: Command) -> None:
    """Run `command` to its end; raise StepError with its last line when it fails."""
    command.log.parent.mkdir(parents=True, exist_ok=True)
    with command.log.open("wb") as log:
        ended = subprocess.run(
            list(command.arguments),
            cwd=PROJECT,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if ended.returncode:
        raise StepError(f"{command.name} failed; {describe_log(command.log)}")


def describe_log(log: Path) -> str:
    """The last lines of `log`, and where all of it is."""
    lines = log.read_text(errors="replace").splitlines()
    last = " / ".join(line.strip() for line in lines[-LAST_LINES:] if line.strip())
    return f"its last lines: {last or 'none'}; its log: {os.path.relpath(log)}"
