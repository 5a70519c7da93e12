"""A Postgres server that accepts connections and never responds, like an overloaded server."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silent_catalog() -> Iterator[int]:
    """Yield the port of a server that never responds. Waiting clients fail when the block ends."""
    # The kernel accepts the connections, and no process reads from them.
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        port: int = listening.getsockname()[1]
        yield port
