"""Webhook that records the `text` of each request."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class WebhookServer:
    """URL, recorded texts, and settings of the response."""

    url: str = ""
    texts: list[str] = field(default_factory=list)
    status: int = 200
    silent_until: threading.Event | None = None
    """If set, the webhook responds only after this event."""


@contextmanager
def webhook_server() -> Iterator[WebhookServer]:
    """Run the webhook on a free port inside the `with`."""
    webhook = WebhookServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/json"
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert set(body) == {"text"}
            webhook.texts.append(body["text"])
            if webhook.silent_until:
                webhook.silent_until.wait(30)
            self.send_response(webhook.status)
            if webhook.status == HTTPStatus.FOUND:
                self.send_header("Location", "/log-in")
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(HTTPStatus.OK)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (the library's)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    webhook.url = f"http://127.0.0.1:{server.server_port}/hooks/secret-part"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield webhook
    finally:
        if webhook.silent_until:
            webhook.silent_until.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
