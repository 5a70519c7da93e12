"""Graceful shutdown: accept connections for some seconds, finish open requests, exit."""

import signal
import time
from types import FrameType

import uvicorn

FAST_SHUTDOWN_SECONDS = 1
"""Seconds for open requests after SIGINT."""

CLOSE = (b"connection", b"close")


class Drain:
    """State of a graceful shutdown: whether it has begun, and when the server stops listening."""

    def __init__(self, seconds: float) -> None:
        """Prepare a graceful shutdown during which the server accepts connections for `seconds`."""
        self._seconds = seconds
        self._ends_at: float | None = None

    def begin(self) -> None:
        """Begin the shutdown. A second call stops listening at once."""
        self._ends_at = time.monotonic() + (0 if self.has_begun else self._seconds)

    @property
    def has_begun(self) -> bool:
        """True once a graceful shutdown has begun. `/readyz` then fails."""
        return self._ends_at is not None

    @property
    def is_over(self) -> bool:
        """True once the server must stop listening."""
        return self._ends_at is not None and time.monotonic() >= self._ends_at


class GracefulServer(uvicorn.Server):
    """A server that shuts down gracefully on SIGTERM, fast on SIGINT, and then exits with 0.

    While draining, every response has `Connection: close`. A client's next request is then a new
    connection, which a load balancer that polls `/readyz` sends to another server. Without this
    header, keep-alive connections would close just as a request arrives.
    """

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle SIGTERM and SIGINT. The main loop sees the change at its next tick."""
        # uvicorn would raise captured signals again at its end, which looks like a killed process.
        if sig == signal.SIGTERM:
            if not self._drain.has_begun:
                self._close_connections()
            self._drain.begin()
        else:
            self.config.timeout_graceful_shutdown = FAST_SHUTDOWN_SECONDS
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Return whether the server must stop. uvicorn calls this ten times a second."""
        return await super().on_tick(counter) or self._drain.is_over

    def _close_connections(self) -> None:
        # uvicorn sends `default_headers`, and copies `encoded_headers` to them once a second.
        self.config.encoded_headers.append(CLOSE)
        self.server_state.default_headers = [*self.server_state.default_headers, CLOSE]
