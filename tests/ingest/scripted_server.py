"""A server that replies with given bytes, for replies that the replay server does not give."""

from collections.abc import Iterator, Sequence
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
    """A status and a body, sent in pieces; with `cut`, the connection ends before the body."""

    body: bytes = b""
    status: int = 200
    pieces: int = 1
    seconds_between: float = 0
    cut: bool = False


@dataclass
class ScriptedServer:
    """Where the server is, and the forms that it has received."""

    url: str
    forms: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def nobodys_address() -> Iterator[str]:
    """An address that refuses connections, and which nobody else can take meanwhile."""
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def scripted_server(replies: Sequence[Reply]) -> Iterator[ScriptedServer]:
    """A server that gives these replies in turn, the last one again and again."""
    remaining = list(replies)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _reply(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
            scripted.forms.append({name: each[0] for name, each in parse_qs(text).items()})
            reply = remaining.pop(0) if len(remaining) > 1 else remaining[0]
            self.send_response(reply.status)
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
