"""HTTP/1.1 protocol with a fast path for cached responses, and limits on request heads."""

import sys
from asyncio import TimerHandle, Transport
from functools import lru_cache
from re import compile as pattern
from time import perf_counter

from httptools import HttpParserInvalidURLError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.cache import CompleteResponse, header_lines, uncached_response
from api.http.conditional import ReceivedRequest, SentResponse
from api.http.graceful_shutdown import CLOSE
from api.http.middleware import CACHE_MIDDLEWARE, CacheMiddleware
from api.http.problems import problem_response

HTTP_VERSIONS = {"1.0", "1.1"}

MAX_HEAD_BYTES = 32 * 1024
"""Limit of a request's head: request line and headers, names and separators included."""

HEAD_TIMEOUT_SECONDS = 10.0
"""Seconds for the whole head of a request to arrive."""

LINGER_SECONDS = 2.0
"""Seconds that a rejected client may continue to send before its connection is closed."""

END_OF_HEAD = b"\r\n\r\n"

SLOW_PATH_HEADERS = {b"content-length", b"transfer-encoding", b"expect", b"origin"}
"""Request headers that rule out the fast path, because of a body or CORS."""

HOST = pattern(
    rb"(\[[0-9A-Fa-f:.]{2,45}(%25[\w.~-]+)?\]|([\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(:[0-9]*)?"
)
"""A valid `Host`: an IPv6 address in brackets or a name, and a port (RFC 9110, 7.2)."""


def _rejection(status: int, detail: str) -> CompleteResponse:
    response = problem_response(status, detail, headers={"Connection": "close"})
    return uncached_response(status, response.raw_headers, bytes(response.body), route="")


HEAD_TOO_LONG = _rejection(
    431,
    f"The request line and the headers exceed {MAX_HEAD_BYTES // 1024} KiB: send fewer or shorter "
    "headers and parameters.",
)
HEAD_TOO_SLOW = _rejection(
    408,
    f"The request line and the headers did not arrive within {HEAD_TIMEOUT_SECONDS:g} seconds: "
    "send the request again.",
)
WRONG_VERSION = _rejection(505, "The HTTP version is not supported: use HTTP/1.1.")
INVALID_TARGET = _rejection(
    400,
    "The request line is invalid: percent-encode spaces and characters outside ASCII in the "
    "address (%20 for a space, %C3%A9 for \u00e9).",
)
INVALID_HOST = _rejection(
    400, "The header Host is missing, repeated or invalid: send one, such as `Host: example.org`."
)
INVALID_REQUEST = _rejection(400, "The request is not valid HTTP/1.1: send it with an HTTP client.")


@lru_cache(256)
def is_host(value: bytes) -> bool:
    """Return whether a value of `Host` is valid."""
    return HOST.fullmatch(value) is not None


class CachingProtocol(HttpToolsProtocol):
    """uvicorn's protocol, extended by a fast path and by limits.

    uvicorn starts a task for each request and validates every header of each response, which takes
    longer than the rest of the request. This protocol writes a cached response as soon as the
    request's head has arrived. Other requests take uvicorn's usual path.
    """

    _head_bytes = 0
    """Bytes received of a head that is not complete."""
    _in_head = False
    _completed_a_head = False
    _sent_from_cache = False
    _is_closing = False
    _timeout: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Start the timeout of the first request."""
        super().connection_made(transport)
        self._start_timeout()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timeout."""
        self._cancel_timeout()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes until a head exceeds its limit or the connection is closing."""
        while data and not self._is_closing:
            room = MAX_HEAD_BYTES - self._head_bytes
            if room == 0:
                self._close(HEAD_TOO_LONG)
            else:
                self._parse(data[:room])
                data = data[room:]

    def send_400_response(self, msg: str) -> None:
        """Reject a request that the parser cannot parse."""
        # uvicorn calls this while it handles the parser's exception, but does not pass it on.
        self._close(_rejection_of(sys.exc_info()[1]))

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._in_head = True
        self._sent_from_cache = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Send a cached response, or run the application."""
        self._in_head = False
        self._completed_a_head = True
        if self._timeout is not None and not self._is_closing:
            self._cancel_timeout()
        response = self._cached_response() if self._may_write() else None
        if response is None:
            self._run_application()
            return
        self._sent_from_cache = True
        own = header_lines([*self.server_state.default_headers, *response.own_headers])
        # Joining head and body would copy the body for each client.
        self.transport.writelines((b"".join((response.head.lines, own, b"\r\n")), response.body))
        self.on_response_complete()

    def on_body(self, body: bytes) -> None:
        """Drop the request's body, because no route reads a body."""

    def on_message_complete(self) -> None:
        """Complete a request, unless it was rejected or served from the cache."""
        if not self._sent_from_cache and (self._is_responding() or not self._is_closing):
            super().on_message_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Log nothing: clients such as Java's offer HTTP/2 each time, and accept HTTP/1.1."""

    def _may_write(self) -> bool:
        """Return whether a cached response may be written to the connection now."""
        return (
            not self._is_closing
            and getattr(self.cycle, "response_complete", True)
            and not self.flow.write_paused
            and not self.transport.is_closing()
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
            and CLOSE not in self.server_state.default_headers
        )

    def _cached_response(self) -> SentResponse | None:
        headers = dict(self.headers)
        if (
            self.parser.get_method() != b"GET"
            or not SLOW_PATH_HEADERS.isdisjoint(headers)
            or not is_host(headers.get(b"host", b""))
            or len(headers) < len(self.headers)
        ):
            return None
        path, _, query = self.url.partition(b"?")
        client = self.client[0] if self.client else ""
        request = ReceivedRequest("GET", path, query, headers, client, perf_counter())
        middleware: CacheMiddleware = self.app_state[CACHE_MIDDLEWARE]
        response = middleware.cached_response(request)
        if response is not None:
            middleware.record(request, response)
        return response

    def _run_application(self) -> None:
        """Validate the request, and start uvicorn's task for it."""
        if self._is_closing:
            return
        if self.parser.get_http_version() not in HTTP_VERSIONS:
            self._close(WRONG_VERSION)
            return
        if not self._has_valid_host():
            self._close(INVALID_HOST)
            return
        # A pipelined request's cached response has started the keep-alive timer.
        self._unset_keepalive_if_required()
        super().on_headers_complete()
        if self._has_body():
            # The body and its trailers may be endless, and the API does not read them.
            self._close()

    def _has_valid_host(self) -> bool:
        """Return whether there is one valid `Host`. HTTP/1.0 may omit it (RFC 9112, 3.2)."""
        hosts = [value for name, value in self.headers if name == b"host"]
        if not hosts:
            return self.parser.get_http_version() == "1.0"
        return len(hosts) == 1 and is_host(hosts[0])

    def _has_body(self) -> bool:
        return any(
            name == b"transfer-encoding" or (name == b"content-length" and int(value) > 0)
            for name, value in self.headers
        )

    def _parse(self, data: bytes) -> None:
        """Parse bytes within the limit, and update the size of an incomplete head."""
        self._head_bytes += len(data)
        self._completed_a_head = False
        super().data_received(data)
        if not self._in_head:
            self._head_bytes = 0
        elif self._completed_a_head:
            # The bytes held several requests: the current head begins after the last end.
            self._head_bytes = len(data.rpartition(END_OF_HEAD)[2])
        if self._timeout is None and (
            self._in_head
            # uvicorn stops its keep-alive timer also for bytes that begin no request.
            or (self.timeout_keep_alive_task is None and not self._is_responding())
        ):
            self._start_timeout()

    def _close(self, rejection: CompleteResponse | None = None) -> None:
        """Stop reading. Finish the pending response, or send `rejection`, and then close."""
        self._is_closing = True
        if self._is_responding():
            self.cycle.keep_alive = False
        elif not self.transport.is_closing():
            if rejection is None:
                self.transport.close()
            else:
                own = header_lines(self.server_state.default_headers)
                self.transport.write(b"".join((rejection.head.lines, own, b"\r\n", rejection.body)))
                self._linger()

    def _linger(self) -> None:
        """Send EOF now and close later: an immediate close could reset the connection too early."""
        self.transport.write_eof()
        self._cancel_timeout()
        self._timeout = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _is_responding(self) -> bool:
        return not getattr(self.cycle, "response_complete", True)

    def _start_timeout(self) -> None:
        self._timeout = self.loop.call_later(HEAD_TIMEOUT_SECONDS, self._on_timeout)

    def _on_timeout(self) -> None:
        """Close the connection after a timeout, with a response only to an incomplete head."""
        self._close(HEAD_TOO_SLOW if self._in_head else None)

    def _cancel_timeout(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None


def _rejection_of(error: BaseException | None) -> CompleteResponse:
    """Map a parser exception to a response by its message, because its class is often generic."""
    reason = str(error)
    if reason == "Invalid HTTP version" or "PRI" in reason:
        return WRONG_VERSION
    if isinstance(error, HttpParserInvalidURLError) or "Expected HTTP/" in reason:
        return INVALID_TARGET
    return INVALID_REQUEST
