"""A connection that takes no more of a client's time and memory than a request needs."""

from asyncio import TimerHandle, Transport

from api.head import header_lines
from api.ready import Answer
from api.ready_connection import ReadyConnection
from api.refusals import MOST_BYTES, NO_HOST, NO_REQUEST, TOO_LONG

MOST_SECONDS = 10.0
"""How long a request may take to be there."""

END_OF_HEAD = b"\r\n\r\n"


class Connection(ReadyConnection):
    """A connection with limits to what has not become a request yet."""

    _unfinished_bytes = 0
    _is_within_head = False
    _has_ended_a_head = False
    _takes_no_more = False
    _patience: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin, and wait for a first request only so long."""
        super().connection_made(transport)
        self._wait_only_so_long()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._has_come()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come, unless it follows the last request or makes a head too long."""
        if self._takes_no_more:
            return
        self._unfinished_bytes += len(data)
        self._has_ended_a_head = False
        super().data_received(data)
        if not self._is_within_head:
            self._unfinished_bytes = 0
        elif self._has_ended_a_head:
            # Requests that came together with others: only what follows these is of the next one.
            self._unfinished_bytes = len(data) - data.rfind(END_OF_HEAD) - len(END_OF_HEAD)
        if self._unfinished_bytes > MOST_BYTES:
            self._end(TOO_LONG)
        elif self._patience is None and (
            self._is_within_head
            # uvicorn has stopped its own waiting at what began no request.
            or (self.timeout_keep_alive_task is None and not self._is_answering())
        ):
            self._wait_only_so_long()

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read."""
        self._end(NO_REQUEST)

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._is_within_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that a request is there, and have it answered unless it is too long."""
        self._is_within_head = False
        self._has_ended_a_head = True
        if self._patience is not None:
            self._has_come()
        if self._unfinished_bytes > MOST_BYTES and self._head_bytes() > MOST_BYTES:
            self._end(TOO_LONG)
            return
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note the end of a request, unless it was refused."""
        if not self.transport.is_closing():
            super().on_message_complete()

    def have_it_made(self) -> None:
        """Have a request answered by all of the API, unless it may not be."""
        if self._takes_no_more:
            return
        if self._lacks_its_host():
            self._end(NO_HOST)
            return
        super().have_it_made()
        if self._has_a_body():
            # Nobody reads it, and it may be endless, as its trailers may.
            self._end()

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _lacks_its_host(self) -> bool:
        hosts = sum(name == b"host" for name, _ in self.headers)
        return hosts != 1 and self.parser.get_http_version() == "1.1"

    def _has_a_body(self) -> bool:
        return any(
            name == b"transfer-encoding" or (name == b"content-length" and int(value) > 0)
            for name, value in self.headers
        )

    def _end(self, refusal: Answer | None = None) -> None:
        """Take nothing more, and close; answers that are under way go out before."""
        self._takes_no_more = True
        if self._is_answering():
            self.cycle.keep_alive = False
        elif not self.transport.is_closing():
            if refusal is not None:
                own = header_lines(self.server_state.default_headers)
                self.transport.write(b"".join((refusal.head.lines, own, b"\r\n", refusal.body)))
            self.transport.close()

    def _is_answering(self) -> bool:
        return not getattr(self.cycle, "response_complete", True)

    def _wait_only_so_long(self) -> None:
        self._patience = self.loop.call_later(MOST_SECONDS, self._end)

    def _has_come(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
