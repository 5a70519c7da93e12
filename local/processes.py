"""Programs as child processes: services that are watched and ended whole, and steps that end."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from local.folders import PROJECT
from local.lease import Lease
from weather.errors import StepError

POLL_SECONDS = 0.05
START_SECONDS = 120.0
"""How long a service may take until it is ready."""
LAST_LINES = 5
TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True)
class Command:
    """A program to run.

    `name` is what users are told; all output goes to `log`; `patience` is how many seconds a
    service is given to end by itself before it is killed; `folder` is where a service runs.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    patience: float = 5.0
    folder: Path = PROJECT


@dataclass(frozen=True)
class Service:
    """A command that is running under a keeper."""

    command: Command
    keeper: subprocess.Popen[bytes]

    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        return self.keeper.poll() is not None

    def let_go(self) -> None:
        """Leave its end to somebody else, who knows it by its keeper's process id alone."""
        # Without this, subprocess would warn that it is still running.
        self.keeper.returncode = 0

    def require_running(self) -> None:
        """Raise StepError with the last lines of its log when it has ended by itself."""
        if self.has_ended():
            raise StepError(f"{self.command.name} has ended; {describe_log(self.command.log)}")

    def wait_until(self, is_healthy: Callable[[], bool], timeout: float = START_SECONDS) -> None:
        """Wait until it `is_healthy`.

        StepError with the last lines of its log is raised when it ends before that, or is not
        healthy within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not is_healthy():
            self.require_running()
            if time.monotonic() > deadline:
                raise StepError(
                    f"{self.command.name} was not ready within {timeout:.0f} seconds;"
                    f" {describe_log(self.command.log)}"
                )
            time.sleep(POLL_SECONDS)


def python_module(name: str, *arguments: str) -> list[str]:
    """The command that runs the module `name` with .venv's Python."""
    return [sys.executable, "-m", name, *arguments]


def program(name: str) -> str:
    """The path of a program that .venv has."""
    return str(Path(sys.executable).with_name(name))


@contextlib.contextmanager
def running(command: Command) -> Iterator[Service]:
    """Run `command` as a service inside the `with`; nothing of it is left after that."""
    with _private_lease() as lease:
        service = start_service(command, lease.path)
        try:
            yield service
        finally:
            end_keeper(service.keeper.pid)
            service.keeper.wait()


def start_service(command: Command, lease: Path) -> Service:
    """Start `command` under a keeper that ends it when nobody holds `lease` any more."""
    options = (str(lease), str(command.patience), str(command.folder))
    with _fresh(command.log) as log:
        keeper = subprocess.Popen(
            python_module("local.keeper", *options, *command.arguments),
            cwd=PROJECT,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches us alone: services end in order, the last one started first.
            start_new_session=True,
        )
    return Service(command, keeper)


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
def guarded(pid: int) -> Iterator[None]:
    """Have the process `pid`, which is in the foreground, ended when we are killed."""
    with _private_lease() as lease:
        guard = subprocess.Popen(
            python_module("local.guard", str(lease.path), str(pid)),
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield
        finally:
            guard.terminate()
            guard.wait()


def run_step(command: Command) -> None:
    """Run `command` to its end; StepError with its last lines is raised when it fails."""
    with _fresh(command.log) as log:
        ended = subprocess.run(
            command.arguments,
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
    """The last lines of `log`, or the exception that ended it, and where all of it is."""
    lines = log.read_text(errors="replace").splitlines()
    if TRACEBACK in lines:
        # Frames are indented, or belong to one before; the exception comes last.
        after = lines[len(lines) - lines[::-1].index(TRACEBACK) :]
        lines = [line for line in after if not line.startswith(" ")]
    last = " / ".join(line.strip() for line in lines[-LAST_LINES:] if line.strip())
    return f"its last lines: {last or 'none'}; its log: {os.path.relpath(log)}"


@contextlib.contextmanager
def _private_lease() -> Iterator[Lease]:
    """A lease that only we hold."""
    with TemporaryDirectory(prefix="weather-") as folder:
        lease = Lease(Path(folder) / "lease")
        try:
            yield lease
        finally:
            lease.close()


@contextlib.contextmanager
def _fresh(log: Path) -> Iterator[int]:
    """An empty log to append to, so that two services of one name do not write over another."""
    log.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    try:
        yield file
    finally:
        os.close(file)
