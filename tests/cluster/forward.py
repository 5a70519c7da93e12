"""kubectl port-forward to a service of the cluster."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SECONDS_TO_END = 5

_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


class NoForward(ConnectionError):
    """The service is unreachable. The message is kubectl's."""


class Forward:
    """`kubectl port-forward` to a pod of a service, opened again after the pod is gone."""

    def __init__(self, namespace: str, service: str, port: int) -> None:
        self._arguments = ["--namespace", namespace, f"service/{service}", f":{port}"]
        self._process: subprocess.Popen[str] | None = None
        self._local_port = 0

    @property
    def port(self) -> int:
        """Return the local port. Open the port-forward if it is closed.

        Raises:
            NoForward: no pod of the service runs.
        """
        if self._process is None or self._process.poll() is not None:
            self._open()
        return self._local_port

    @property
    def url(self) -> str:
        """Return the local HTTP URL."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """End the port-forward. The next use opens another port-forward."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(SECONDS_TO_END)
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
    """Open a port-forward for the block."""
    forward = Forward(namespace, service, port)
    try:
        yield forward
    finally:
        forward.close()
