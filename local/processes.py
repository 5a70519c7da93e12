"""Run programs as child processes: services with a supervisor, and steps that run to their end."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil

from local.environment import PROJECT
from local.supervisor import SharedLock
from weather.errors import ExitCode, StepError

LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.05
START_SECONDS = 120.0
WATCH_GRACE_SECONDS = 2.0
LAST_LINES = 5
TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True)
class Command:
    """A program to run.

    `name` appears in messages, and all output goes to `log`. A service runs in `folder`, and gets
    SIGKILL if it has not ended `grace_seconds` after SIGTERM.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    grace_seconds: float = 5.0
    folder: Path = PROJECT


@dataclass(frozen=True)
class Service:
    """A command that runs under a supervisor."""

    command: Command
    supervisor: subprocess.Popen[bytes]

    def has_ended(self) -> bool:
        """Return whether the service has ended by itself."""
        return self.supervisor.poll() is not None

    def detach(self) -> None:
        """Leave the service running. Another process ends it by the supervisor's process id."""
        # Without this, subprocess would warn that it is still running.
        self.supervisor.returncode = 0

    def require_running(self) -> None:
        """Raise StepError with the last lines of the log if the service has ended."""
        if self.has_ended():
            raise StepError(f"{self.command.name} has ended; {describe_log(self.command.log)}")

    def wait_until(self, is_ready: Callable[[], bool], timeout: float = START_SECONDS) -> None:
        """Poll `is_ready` until it returns True.

        Raises:
            StepError: the service ends before that, or is not ready within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not is_ready():
            self.require_running()
            if time.monotonic() > deadline:
                raise StepError(
                    f"{self.command.name} was not ready within {timeout:.0f} seconds;"
                    f" {describe_log(self.command.log)}"
                )
            time.sleep(POLL_SECONDS)


@dataclass(frozen=True)
class HttpServer:
    """A service that responds at `address`."""

    address: str
    service: Service


def python_module(name: str, *arguments: str) -> list[str]:
    """Return the command that runs the module `name` with .venv's Python."""
    return [sys.executable, "-m", name, *arguments]


def program(name: str) -> str:
    """Return the path of a program in .venv."""
    return str(Path(sys.executable).with_name(name))


@contextlib.contextmanager
def running(command: Command) -> Iterator[Service]:
    """Run `command` as a service inside the `with`, and end its process tree after that."""
    with _own_lock() as lock:
        service = start_service(command, lock)
        try:
            yield service
        finally:
            end_supervisor(service.supervisor.pid)
            service.supervisor.wait()


@contextlib.contextmanager
def running_server(
    command: Command, port: int, path: str = "/healthz", timeout: float = START_SECONDS
) -> Iterator[HttpServer]:
    """Run `command` with `--port` inside the `with`, after `path` has returned success."""
    address = f"http://{LOOPBACK}:{port}"
    arguments = [*command.arguments, "--port", str(port)]
    on_port = Command(command.name, arguments, command.environment, command.log)
    with running(on_port) as service:
        service.wait_until(lambda: is_success(f"{address}{path}"), timeout)
        yield HttpServer(address, service)


def is_success(address: str) -> bool:
    """Return whether a GET of `address` succeeds within a second."""
    try:
        return httpx.get(address, timeout=1, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def start_service(command: Command, lock: Path) -> Service:
    """Start `command` under a supervisor, which ends the command when `lock` has no owner."""
    options = (str(lock), str(command.grace_seconds), str(command.folder))
    with _empty_log(command.log) as log:
        supervisor = subprocess.Popen(
            python_module("local.supervisor", "run", *options, *command.arguments),
            cwd=PROJECT,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches this process alone: services end in order, the last one first.
            start_new_session=True,
        )
    return Service(command, supervisor)


def is_supervisor(pid: int, lock: Path) -> bool:
    """Return whether the process `pid` is the supervisor with that lock file."""
    try:
        return str(lock) in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False


def end_supervisor(pid: int) -> None:
    """End the supervisor `pid` with its child, and wait for both."""
    with contextlib.suppress(psutil.NoSuchProcess):
        supervisor = psutil.Process(pid)
        supervisor.terminate()
        supervisor.wait()


@contextlib.contextmanager
def watched(pid: int) -> Iterator[None]:
    """Start a watchdog that ends the process tree of `pid` if this process is killed."""
    with _own_lock() as lock:
        watcher = subprocess.Popen(
            python_module(
                "local.supervisor", "watch", str(lock), f"{WATCH_GRACE_SECONDS}", f"{pid}"
            ),
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield
        finally:
            watcher.terminate()
            watcher.wait()


def run_step(command: Command) -> None:
    """Run `command` to its end. Raise StepError with the last lines of output after a failure."""
    with _empty_log(command.log) as log:
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
    """Return the last lines or the last exception of `log`, and the path of `log`."""
    lines = log.read_text(errors="replace").splitlines()
    if TRACEBACK in lines:
        # Frames are indented; the exception comes last.
        after = lines[len(lines) - lines[::-1].index(TRACEBACK) :]
        lines = [line for line in after if not line.startswith(" ")]
    last = " / ".join(line.strip() for line in lines[-LAST_LINES:] if line.strip())
    return f"its last lines: {last or 'none'}; its log: {os.path.relpath(log)}"


def free_ports(count: int) -> list[int]:
    """Return `count` different free ports of the loopback interface."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


def free_port() -> int:
    """Return a free port of the loopback interface."""
    return free_ports(1)[0]


def is_free(port: int) -> bool:
    """Return whether a server could listen on `port`."""
    with socket.socket() as probe:
        # As servers do: a port whose last connection was closed a moment ago counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def require_free(port: int, service: str) -> None:
    """Raise StepError naming `service` if `port` is in use."""
    if not is_free(port):
        raise StepError(
            f"port {port} of {LOOPBACK}, which {service} needs, is already in use;"
            " end the program that uses it and try again",
            ExitCode.SETTING,
        )


@contextlib.contextmanager
def _own_lock() -> Iterator[Path]:
    """Create and lock a new lock file inside the `with`."""
    with TemporaryDirectory(prefix="weather-") as folder:
        lock = SharedLock(Path(folder) / "lock")
        try:
            yield lock.path
        finally:
            lock.close()


@contextlib.contextmanager
def _empty_log(log: Path) -> Iterator[int]:
    """Empty a log and open it in append mode, so that two services with one log share it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    try:
        yield file
    finally:
        os.close(file)
