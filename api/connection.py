"""A connection that takes no more of a client's time and memory than a request needs."""

from asyncio import TimerHandle, Transport

from api.ready_connection import ReadyConnection

MOST_BYTES = 32 * 1024
"""The longest head of a request: its first line and its headers."""

MOST_SECONDS = 10.0
"""How long a request may take to be there."""

END_OF_HEAD = b"\r\n\r\n"

REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/problem+json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"
)
PROBLEM = (
    b'{"type":"about:blank","title":"Request Header Fields Too Large","status":431,'
    b'"detail":"The address and the headers of a request may have 32 KiB in all: send less."}'
)


class Connection(ReadyConnection):
    """A connection with limits to what has not become a request yet."""

    _unfinished_bytes = 0
    _is_within_head = False
    _has_ended_a_head = False
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
        """Take what has come, unless it is the part of a head that is too long."""
        self._unfinished_bytes += len(data)
        self._has_ended_a_head = False
        super().data_received(data)
        if not self._is_within_head:
            self._unfinished_bytes = 0
        elif self._has_ended_a_head:
            # Requests that came together with others: only what follows these is of the next one.
            self._unfinished_bytes = len(data) - data.rfind(END_OF_HEAD) - len(END_OF_HEAD)
        if self._unfinished_bytes > MOST_BYTES:
            self._refuse()
        elif self._is_within_head and self._patience is None:
            self._wait_only_so_long()

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
            self._refuse()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a request's body, unless the request was refused."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note the end of a request, unless it was refused."""
        if not self.transport.is_closing():
            super().on_message_complete()

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _refuse(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(REFUSAL % (len(PROBLEM), PROBLEM))
            self.transport.close()

    def _wait_only_so_long(self) -> None:
        self._patience = self.loop.call_later(MOST_SECONDS, self.transport.close)

    def _has_come(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
