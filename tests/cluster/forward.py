"""A port of this machine that leads to a service of the cluster."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PATIENCE_SECONDS = 5

_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


class NoForward(ConnectionError):
    """The service cannot be reached; the message is kubectl's own."""


class Forward:
    """`kubectl port-forward` to one pod of a service, and to another one when that has gone."""

    def __init__(self, namespace: str, service: str, port: int) -> None:
        self._arguments = ["--namespace", namespace, f"service/{service}", f":{port}"]
        self._process: subprocess.Popen[str] | None = None
        self._local_port = 0

    @property
    def port(self) -> int:
        """The local port; opened where it is not, or not any more.

        Raises:
            NoForward: no pod of the service runs.
        """
        if self._process is None or self._process.poll() is not None:
            self._open()
        return self._local_port

    @property
    def url(self) -> str:
        """The local port as an address for HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """End the forward; the next use opens another one."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE_SECONDS)
        self._process.kill()
        self._process.communicate()
        self._process = None

    def _open(self) -> None:
        self.close()
        self._process = subprocess.Popen(
            ["kubectl", "port-forward", "--address", "127.0.0.1", *self._arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        match = _FORWARDING.match(line)
        if match is None:
            self.close()
            raise NoForward(f"kubectl port-forward {' '.join(self._arguments)}: {line.strip()}")
        self._local_port = int(match[1])


@contextmanager
def forwarded(namespace: str, service: str, port: int) -> Iterator[Forward]:
    """A forward for as long as the block lasts."""
    forward = Forward(namespace, service, port)
    try:
        yield forward
    finally:
        forward.close()
