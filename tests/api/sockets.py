"""Raw requests over a socket, for bytes that no HTTP client sends."""

import socket
from collections.abc import Iterator
from io import BytesIO

import httpx

from tests.timeouts import TIMEOUT_SECONDS

Reply = tuple[bytes, dict[bytes, bytes], bytes]
"""Status line, headers and body."""


def send_raw(client: httpx.Client, request: bytes) -> bytes:
    """Send bytes, and return all received bytes until the server closes the connection."""
    address = client.base_url
    with socket.create_connection(
        (address.host, address.port or 80), TIMEOUT_SECONDS
    ) as connection:
        connection.sendall(request)
        return everything_from(connection)


def everything_from(connection: socket.socket) -> bytes:
    """Return all bytes until the other side closes the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def replies(received: bytes) -> Iterator[Reply]:
    """Parse the responses of one connection."""
    stream = BytesIO(received)
    while first := stream.readline().rstrip():
        lines = iter(lambda: stream.readline().rstrip(), b"")
        headers = dict(line.split(b": ", 1) for line in lines)
        yield first, headers, stream.read(int(headers.get(b"content-length", b"0")))
