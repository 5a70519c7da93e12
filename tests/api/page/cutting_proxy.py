"""A proxy in front of the API. The proxy strips a path prefix and may cut responses."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

OF_THE_CONNECTION = {"connection", "content-length", "date", "host", "server", "transfer-encoding"}
"""Headers that a proxy replaces by its own headers."""

NOT_PASSED_ON = {*OF_THE_CONNECTION, "cache-control", "etag", "last-modified"}
"""Headers to drop. Caching headers would let a browser skip the request to cut."""


class CuttingProxy(ThreadingHTTPServer):
    """Proxy that passes on the API's responses, with the whole body or half of the body."""

    request_queue_size = 64

    def __init__(self, client: httpx.Client, prefix: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.client = client
        self.prefix = prefix
        """Path prefix to strip, like nginx's `proxy_pass http://api/`."""
        self.cut_path: str | None = None
        """Responses to this path end after half of their body."""

    @property
    def address(self) -> str:
        """The proxy's URL."""
        return f"http://127.0.0.1:{self.server_port}{self.prefix}"


class _Handler(BaseHTTPRequestHandler):
    server: CuttingProxy

    def do_GET(self) -> None:
        """Return the API's response."""
        if not self.path.startswith(f"{self.server.prefix}/"):
            self.send_error(404)
            return
        path = self.path.removeprefix(self.server.prefix)
        headers = httpx.Headers(
            [each for each in self.headers.items() if each[0].lower() not in OF_THE_CONNECTION]
        )
        # httpx decodes bodies.
        headers["Accept-Encoding"] = "identity"
        response = self.server.client.get(path, headers=headers)
        self.send_response(response.status_code)
        for name, value in response.headers.items():
            if name not in NOT_PASSED_ON:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        is_cut = path.partition("?")[0] == self.server.cut_path
        self.wfile.write(
            response.content[: len(response.content) // 2] if is_cut else response.content
        )

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """Do not log requests."""


@contextmanager
def cutting_proxy(client: httpx.Client, prefix: str = "") -> Iterator[CuttingProxy]:
    """Start a proxy for the API that `client` is connected to. Set `cut_path` to cut responses."""
    with CuttingProxy(client, prefix) as proxy:
        serving = threading.Thread(target=proxy.serve_forever)
        serving.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            serving.join()
