"""`python -m bench.api_client`: connections that ask one address again and again, then a tally.

A process of its own, so that what it costs to ask is not taken from whoever measures.
"""

import argparse
import asyncio
import json
import re
import time
from typing import cast
from urllib.parse import urlsplit

import uvloop

END_OF_HEAD = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
GOOD = {b"200", b"304"}


class Tally:
    """What all connections have seen, in seconds."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.failures = 0
        self.is_over = False


class Connection(asyncio.Protocol):
    """One connection that asks, waits for the whole answer and asks again."""

    def __init__(self, request: bytes, every: float, tally: Tally) -> None:
        """Prepare it.

        Args:
            request: the bytes that are sent each time.
            every: seconds from one request to the next; with 0, each answer is followed at once.
            tally: where latencies and failures go.
        """
        self._request = request
        self._every = every
        self._tally = tally
        self._head = b""
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Nothing is asked yet."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def start(self) -> None:
        """Ask for the first time."""
        self._due = time.perf_counter()
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer."""
        if not self._missing:
            self._head += data
            end = self._head.find(END_OF_HEAD)
            if end < 0:
                return
            length = LENGTH.search(self._head, 0, end)
            self._missing = end + len(END_OF_HEAD) + (int(length[1]) if length else 0)
            data = self._head
        self._missing -= len(data)
        if self._missing <= 0:
            self._answered()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note an answer that never came; the end of the measurement is none."""
        if not self._tally.is_over:
            self._tally.failures += 1

    def _ask(self) -> None:
        self._transport.write(self._request)

    def _answered(self) -> None:
        now = time.perf_counter()
        # From when it was due: a server that stands still must not be asked less often for it.
        self._tally.latencies.append(now - self._due)
        self._tally.failures += self._head[9:12] not in GOOD
        self._head, self._missing = b"", 0
        self._due = self._due + self._every if self._every else now
        if self._due <= now:
            self._ask()
        else:
            asyncio.get_running_loop().call_later(self._due - now, self._ask)


async def ask(
    address: str, headers: list[str], *, connections: int, seconds: float, every: float
) -> Tally:
    """Ask for that long; answers that come later do not count."""
    parts = urlsplit(address)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    host, port = parts.hostname, parts.port
    assert host is not None
    assert port is not None
    lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", *headers]
    request = "\r\n".join([*lines, "", ""]).encode()
    tally = Tally()
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Connection(request, every, tally), host, port)
        for _ in range(connections)
    ]
    for number, (_, connection) in enumerate(made):
        loop.call_later(every * number / connections, connection.start)
    await asyncio.sleep(seconds)
    tally.is_over = True
    for transport, _ in made:
        transport.abort()
    return tally


def main() -> None:
    """Ask, and print what was seen as one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.api_client", description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--header", action="append", default=[], help="'Name: value'")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--every", type=float, default=0.0, help="pace of each connection")
    arguments = parser.parse_args()
    tally = uvloop.run(
        ask(
            arguments.address,
            arguments.header,
            connections=arguments.connections,
            seconds=arguments.seconds,
            every=arguments.every,
        )
    )
    print(json.dumps({"latencies": sorted(tally.latencies), "failures": tally.failures}))


if __name__ == "__main__":
    main()
