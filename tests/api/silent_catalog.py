"""A Postgres that takes connections and says nothing, as one that is overloaded or frozen."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silent_catalog() -> Iterator[int]:
    """The port of such a server on this machine; what waits for it fails when the block ends."""
    # The system takes the connections, and nobody reads from them.
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        port: int = listening.getsockname()[1]
        yield port
