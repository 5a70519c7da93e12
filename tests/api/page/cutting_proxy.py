"""A proxy in front of the API, which may lose connections while an answer is on its way."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


class CuttingProxy(ThreadingHTTPServer):
    """Hands on what the API answers, whole or half of it."""

    request_queue_size = 64

    def __init__(self, client: httpx.Client) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.client = client
        self.cut_path: str | None = None
        """Of answers to this path, half of the body comes."""

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: CuttingProxy

    def do_GET(self) -> None:
        """Answer as the API does."""
        answer = self.server.client.get(
            self.path, headers={"Accept": self.headers.get("Accept", "*/*")}
        )
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers["content-type"])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        is_cut = self.path.partition("?")[0] == self.server.cut_path
        self.wfile.write(answer.content[: len(answer.content) // 2] if is_cut else answer.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """Say nothing."""


@contextmanager
def cutting_proxy(client: httpx.Client) -> Iterator[CuttingProxy]:
    """A proxy for that client's API; it cuts nothing yet."""
    with CuttingProxy(client) as proxy:
        serving = threading.Thread(target=proxy.serve_forever)
        serving.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            serving.join()
