"""A connection on which what is ready goes out at once."""

from functools import lru_cache
from re import compile as pattern
from time import perf_counter

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.draining import CLOSE
from api.http.exchange import Reply, Request
from api.http.gateway import GATEWAY, Gateway
from api.http.head import header_lines

NOT_PLAIN = {b"content-length", b"transfer-encoding", b"expect", b"origin"}
"""Headers of requests that have a body, or come from other pages: all of the API answers these."""

HOST = pattern(
    rb"(\[[0-9A-Fa-f:.]{2,45}(%25[\w.~-]+)?\]|([\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(:[0-9]*)?"
)
"""A value of `Host`: an IPv6 address in brackets, or a name, and a port (RFC 9110, 7.2)."""


@lru_cache(256)
def is_host(value: bytes) -> bool:
    """Return whether a value of `Host` names a host."""
    return HOST.fullmatch(value) is not None


class ReadyConnection(HttpToolsProtocol):
    """uvicorn's connection, which itself sends the answers that are ready.

    uvicorn begins a task for each request and checks every header of each answer, which takes
    longer than all the rest. Here a ready answer is written as soon as its request's head is there;
    everything else, and whatever is not plain, goes the usual way.
    """

    _is_answered = False

    def on_message_begin(self) -> None:
        """Take the next request."""
        self._is_answered = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Answer the request if its answer is ready; else have it answered."""
        reply = self._ready_reply() if self._may_write() else None
        if reply is None:
            self.have_it_made()
            return
        self._is_answered = True
        own = header_lines([*self.server_state.default_headers, *reply.own_headers])
        # Not joined with the body, which would be copied for each client.
        self.transport.writelines((b"".join((reply.head.lines, own, b"\r\n")), reply.body))
        self.on_response_complete()

    def have_it_made(self) -> None:
        """Have the request answered by all of the API."""
        # An answer to a request that came in the same bytes has begun to count idle seconds.
        self._unset_keepalive_if_required()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Drop a part of a request's body: the API reads none."""

    def on_message_complete(self) -> None:
        """Note the end of a request."""
        if not self._is_answered:
            super().on_message_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: who asks for HTTP/2, as Java does each time, is answered in HTTP/1.1."""

    def _may_write(self) -> bool:
        """Whether nothing is on its way before it, and the connection stays as it is."""
        return (
            getattr(self.cycle, "response_complete", True)
            and not self.flow.write_paused
            and not self.transport.is_closing()
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
            and CLOSE not in self.server_state.default_headers
        )

    def _ready_reply(self) -> Reply | None:
        headers = dict(self.headers)
        if (
            self.parser.get_method() != b"GET"
            or not NOT_PLAIN.isdisjoint(headers)
            or not is_host(headers.get(b"host", b""))
            or len(headers) < len(self.headers)
        ):
            return None
        path, _, query = self.url.partition(b"?")
        client = self.client[0] if self.client else ""
        request = Request("GET", path, query, headers, client, perf_counter())
        gateway: Gateway = self.app_state[GATEWAY]
        reply = gateway.ready_reply(request)
        if reply is not None:
            gateway.note(request, reply)
        return reply
