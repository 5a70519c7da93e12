"""HTTP server with scripted responses that the replay server does not support."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from threading import Thread
from time import sleep
from typing import Any
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Reply:
    """A status and a body, sent in pieces. With `cut`, the connection ends before the body."""

    body: bytes = b""
    status: int = 200
    pieces: int = 1
    seconds_between: float = 0
    cut: bool = False
    location: str | None = None
    """`Location` header of a redirect."""


Form = dict[str, str]


@dataclass
class ScriptedServer:
    """The server's URL, and the received forms and paths."""

    url: str
    forms: list[Form] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def unused_url() -> Iterator[str]:
    """Reserve an address that refuses connections."""
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def scripted_server(
    replies: Sequence[Reply] | Callable[[Form], Reply],
) -> Iterator[ScriptedServer]:
    """Serve these responses and repeat the last response, or serve a function's results."""
    remaining = [] if callable(replies) else list(replies)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _reply(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
            form = {name: each[0] for name, each in parse_qs(text).items()}
            scripted.forms.append(form)
            scripted.paths.append(f"{self.command} {self.path}")
            if callable(replies):
                reply = replies(form)
            else:
                reply = remaining.pop(0) if len(remaining) > 1 else remaining[0]
            self.send_response(reply.status)
            if reply.location is not None:
                self.send_header("Location", reply.location)
            self.send_header("Content-Length", str(len(reply.body) + reply.cut))
            self.end_headers()
            step = -(-len(reply.body) // reply.pieces) or 1
            try:
                for first in range(0, len(reply.body), step):
                    self.wfile.write(reply.body[first : first + step])
                    sleep(reply.seconds_between)
            except ConnectionError:
                pass
            self.close_connection = reply.cut

        do_GET = do_POST = do_PUT = _reply  # noqa: N815 - http.server looks for these names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scripted = ScriptedServer(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield scripted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
