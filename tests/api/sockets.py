"""Bytes as they go over a connection, for what no HTTP client would send."""

import socket

import httpx


def answered(client: httpx.Client, request: bytes) -> bytes:
    """All that comes back until the server closes the connection."""
    address = client.base_url
    with socket.create_connection((address.host, address.port or 80), timeout=10) as connection:
        connection.sendall(request)
        return everything_from(connection)


def everything_from(connection: socket.socket) -> bytes:
    """All that comes until the other side closes the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))
