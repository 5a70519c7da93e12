"""HTTP protocol that limits the size and the time of a request's head, and validates its Host."""

import sys
from asyncio import TimerHandle, Transport

from httptools import HttpParserInvalidURLError

from api.http.head import header_lines
from api.http.ready import Answer
from api.http.ready_connection import ReadyConnection, is_host
from api.http.refusals import (
    INVALID_HOST,
    INVALID_REQUEST,
    INVALID_TARGET,
    MOST_BYTES,
    MOST_SECONDS,
    TOO_LONG,
    TOO_SLOW,
    WRONG_VERSION,
)

VERSIONS = {"1.0", "1.1"}

SECONDS_TO_LINGER = 2.0
"""Seconds that a rejected client may go on sending before its connection is closed."""

END_OF_HEAD = b"\r\n\r\n"


class Connection(ReadyConnection):
    """A connection with limits to what has not become a request yet."""

    _head_bytes = 0
    """Received bytes of a head that has not ended: request line, names and separators included."""
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
        """Parse received bytes until a head exceeds its limit or the connection is to close."""
        while data and not self._takes_no_more:
            room = MOST_BYTES - self._head_bytes
            if room == 0:
                self._end(TOO_LONG)
            else:
                self._parse(data[:room])
                data = data[room:]

    def _parse(self, data: bytes) -> None:
        """Parse bytes that exceed no limit, and count those of a head that has not ended."""
        self._head_bytes += len(data)
        self._has_ended_a_head = False
        super().data_received(data)
        if not self._is_within_head:
            self._head_bytes = 0
        elif self._has_ended_a_head:
            # The bytes held several requests: only what follows the last end belongs to this head.
            self._head_bytes = len(data.rpartition(END_OF_HEAD)[2])
        if self._patience is None and (
            self._is_within_head
            # uvicorn stops its keep-alive timer also for bytes that begin no request.
            or (self.timeout_keep_alive_task is None and not self._is_answering())
        ):
            self._wait_only_so_long()

    def send_400_response(self, msg: str) -> None:
        """Reject what the parser rejects."""
        # uvicorn calls this while it handles the parser's exception, but does not pass it on.
        self._end(_refusal_of(sys.exc_info()[1]))

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._is_within_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop the head's timer, and have the request answered."""
        self._is_within_head = False
        self._has_ended_a_head = True
        if self._patience is not None and not self._takes_no_more:
            self._has_come()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note the end of a request, unless it was rejected."""
        if self._is_answering() or not self._takes_no_more:
            super().on_message_complete()

    def _may_write(self) -> bool:
        return not self._takes_no_more and super()._may_write()

    def have_it_made(self) -> None:
        """Have a valid request answered by all of the API."""
        if self._takes_no_more:
            return
        if self.parser.get_http_version() not in VERSIONS:
            self._end(WRONG_VERSION)
            return
        if not self._has_valid_host():
            self._end(INVALID_HOST)
            return
        super().have_it_made()
        if self._has_a_body():
            # Nobody reads it, and it may be endless, as its trailers may.
            self._end()

    def _has_valid_host(self) -> bool:
        """Return whether there is one valid `Host`; HTTP/1.0 may leave it out (RFC 9112, 3.2)."""
        hosts = [value for name, value in self.headers if name == b"host"]
        if not hosts:
            return self.parser.get_http_version() == "1.0"
        return len(hosts) == 1 and is_host(hosts[0])

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
                self._linger()
            else:
                self.transport.close()

    def _linger(self) -> None:
        """Half-close, and drop what still arrives: a reset could overtake the response."""
        self.transport.write_eof()
        self._has_come()
        self._patience = self.loop.call_later(SECONDS_TO_LINGER, self.transport.close)

    def _is_answering(self) -> bool:
        return not getattr(self.cycle, "response_complete", True)

    def _wait_only_so_long(self) -> None:
        self._patience = self.loop.call_later(MOST_SECONDS, self._end_waiting)

    def _end_waiting(self) -> None:
        """Close; a connection on which nothing has begun needs no response."""
        self._end(TOO_SLOW if self._is_within_head else None)

    def _has_come(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def _refusal_of(error: BaseException | None) -> Answer:
    """Return the response for an exception of the parser, which has few classes for its reasons."""
    reason = str(error)
    if reason == "Invalid HTTP version" or "PRI" in reason:
        return WRONG_VERSION
    if isinstance(error, HttpParserInvalidURLError) or "Expected HTTP/" in reason:
        return INVALID_TARGET
    return INVALID_REQUEST
