"""How the API ends: a while of telling clients to go elsewhere, then open requests, then exit."""

import signal
import time
from types import FrameType

import uvicorn

SECONDS_TO_FINISH_AT_ONCE = 1

CLOSE = (b"connection", b"close")


class Drain:
    """Whether the end has been asked for, and when the last new connection is taken."""

    def __init__(self, seconds: float) -> None:
        """Prepare it; `seconds` is how long new connections are still served."""
        self._seconds = seconds
        self._ends_at: float | None = None

    def begin(self) -> None:
        """Begin it; once more ends it at once."""
        self._ends_at = time.monotonic() + (0 if self.has_begun else self._seconds)

    @property
    def has_begun(self) -> bool:
        """Whether clients are to go elsewhere."""
        return self._ends_at is not None

    @property
    def is_over(self) -> bool:
        """Whether no new connection is taken any more."""
        return self._ends_at is not None and time.monotonic() >= self._ends_at


class DrainingServer(uvicorn.Server):
    """A server that drains on SIGTERM, ends at once on SIGINT, and exits with 0 after both.

    While it drains, every answer carries `Connection: close`: a client's next request is a new
    connection, which a load balancer that has read `/readyz` sends to another server. Without
    that, a kept-alive connection would be closed under a request that is just on its way.
    """

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note what was asked for; the main loop sees it at its next tick."""
        # Not noted as captured: uvicorn would raise the signal again at its end, and a clean end
        # would look like a killed process.
        if sig == signal.SIGTERM:
            if not self._drain.has_begun:
                self._close_connections()
            self._drain.begin()
        else:
            self.config.timeout_graceful_shutdown = SECONDS_TO_FINISH_AT_ONCE
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Do what uvicorn does ten times a second; True once the server is to end."""
        return await super().on_tick(counter) or self._drain.is_over

    def _close_connections(self) -> None:
        # uvicorn puts the second into every answer, and makes it of the first once a second.
        self.config.encoded_headers.append(CLOSE)
        self.server_state.default_headers = [*self.server_state.default_headers, CLOSE]
