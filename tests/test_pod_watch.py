"""tests/cluster/pod_watch.py reconnects after a truncated response. Needs no cluster."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any

import pytest
from kubernetes import client

from tests.cluster.connection import Cluster
from tests.cluster.pod_watch import PodWatch


@pytest.fixture
def kubernetes() -> Iterator[Cluster]:
    """A Kubernetes API that sends one pod for each watch, and cuts the first response."""
    numbers = count(1)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            number = next(numbers)
            metadata = {"name": f"pod-{number}", "resourceVersion": str(number)}
            event = json.dumps({"type": "ADDED", "object": {"metadata": metadata}}) + "\n"
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(f"{len(event):x}\r\n{event}\r\n".encode())
            if number > 1:
                self.wfile.write(b"0\r\n\r\n")
            else:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    configuration = client.Configuration(host=f"http://127.0.0.1:{server.server_port}")
    configuration.no_proxy = "127.0.0.1"
    yield Cluster(client.ApiClient(configuration))
    server.shutdown()
    server.server_close()


def test_a_lost_connection_is_replaced(kubernetes: Cluster) -> None:
    pods = PodWatch(kubernetes)
    watching = Thread(target=pods.follow, args=["weather", "0"], daemon=True)
    watching.start()
    try:
        pods.await_event(
            "the second pod", lambda each: each.pod.metadata.name == "pod-2", seconds=30
        )
    finally:
        pods.stop()
        watching.join(30)
