"""Send GET requests to one address from eight connections, by wrk or by `python -m bench.api_load`.

Our own client is a process apart, so that its CPU time is not taken from the measuring process.
"""

import argparse
import asyncio
import json
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import cast
from urllib.parse import urlsplit

import uvloop

from local.environment import PROJECT
from local.processes import python_module
from weather.errors import StepError

CLIENTS = 8

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
RATE = re.compile(r"Requests/sec: +([0-9.]+)")
P99 = re.compile(r"99% +([0-9.]+)(us|ms|s|m)")
WORST = re.compile(r"Latency +\S+ +\S+ +([0-9.]+)(us|ms|s|m)")
FAILURES = re.compile(r"(?:Non-2xx or 3xx responses|Socket errors): .*")

END_OF_HEADERS = b"\r\n\r\n"
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
GOOD_STATUS = {b"200", b"304"}


@dataclass(frozen=True)
class Load:
    """Throughput and latencies, in seconds, that eight clients saw."""

    requests_per_second: float
    p99: float
    worst: float


def client_name() -> str:
    """Return the name of the load generator, which runs on the measured machine."""
    return "wrk" if shutil.which("wrk") else "bench.api_load, because wrk is not installed"


def load_on(address: str, headers: Mapping[str, str], seconds: int) -> Load:
    """Measure the load when clients send each request at once after the last response.

    Raises:
        StepError: a status is neither 200 nor 304, or no response came.
    """
    if shutil.which("wrk"):
        return load_by_wrk(address, headers, seconds)
    return load_by_own_client(address, headers, seconds)


def load_by_wrk(address: str, headers: Mapping[str, str], seconds: int) -> Load:
    """Measure the load by wrk, with one thread, so that the server has the other core."""
    options = [f"-c{CLIENTS}", "-t1", f"-d{seconds}s", "--timeout", "30s", "--latency"]
    return parse_wrk(_run(["wrk", *options, *_header_options("-H", headers), address]))


def parse_wrk(report: str) -> Load:
    """Read wrk's report.

    Raises:
        StepError: the report has failures, or no response at all.
    """
    rate, p99, worst = (each.search(report) for each in (RATE, P99, WORST))
    failures = FAILURES.search(report)
    if failures or not (rate and p99 and worst) or float(rate[1]) == 0:
        raise StepError(f"wrk: requests failed: {failures[0] if failures else report}")
    return Load(float(rate[1]), _seconds(p99), _seconds(worst))


def load_by_own_client(
    address: str, headers: Mapping[str, str], seconds: float, every: float = 0.0
) -> Load:
    """Measure the load by clients in a Python process.

    Args:
        address: the URL.
        headers: sent with each request.
        seconds: duration of the measurement.
        every: seconds from one request of a client to its next; 0 for no wait.
    """
    options = ["--seconds", str(seconds), "--every", str(every)]
    module = python_module("bench.api_load", *options, *_header_options("--header", headers))
    seen = json.loads(_run([*module, address]))
    if seen["failures"]:
        raise StepError(f"GET {address}: {seen['failures']} requests failed")
    return Load(**seen["load"])


def _header_options(name: str, headers: Mapping[str, str]) -> list[str]:
    return [part for header, value in headers.items() for part in (name, f"{header}: {value}")]


def _run(command: list[str]) -> str:
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise StepError(f"{' '.join(command)} failed: {ended.stderr.strip()}")
    return ended.stdout


def _seconds(found: re.Match[str]) -> float:
    return float(found[1]) * UNITS[found[2]]


class Tally:
    """Latencies, in seconds, and failures of all connections."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.failures = 0
        self.is_over = False

    def load(self, seconds: float) -> Load:
        """Summarize the latencies of a measurement of that duration."""
        ordered = sorted(self.latencies) or [0.0]
        p99 = ordered[int(0.99 * (len(ordered) - 1))]
        return Load(len(self.latencies) / seconds, p99, ordered[-1])


class Connection(asyncio.Protocol):
    """HTTP/1.1 connection that sends the next request after each response."""

    def __init__(self, request: bytes, every: float, tally: Tally) -> None:
        """Store the request and its interval.

        Args:
            request: the bytes of each request.
            every: seconds from one request to the next; 0 for no wait.
            tally: collects latencies and failures.
        """
        self._request = request
        self._every = every
        self._tally = tally
        self._headers = b""
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def start(self) -> None:
        """Send the first request."""
        self._due = time.perf_counter()
        self._send()

    def data_received(self, data: bytes) -> None:
        """Read a part of a response."""
        if not self._missing:
            self._headers += data
            end = self._headers.find(END_OF_HEADERS)
            if end < 0:
                return
            length = CONTENT_LENGTH.search(self._headers, 0, end)
            self._missing = end + len(END_OF_HEADERS) + (int(length[1]) if length else 0)
            data = self._headers
        self._missing -= len(data)
        if self._missing <= 0:
            self._complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a failure, unless the measurement is over."""
        if not self._tally.is_over:
            self._tally.failures += 1

    def _send(self) -> None:
        self._transport.write(self._request)

    def _complete(self) -> None:
        now = time.perf_counter()
        # From when the request was due: a server that stalls must not reduce the load.
        self._tally.latencies.append(now - self._due)
        self._tally.failures += self._headers[9:12] not in GOOD_STATUS
        self._headers, self._missing = b"", 0
        self._due = self._due + self._every if self._every else now
        if self._due <= now:
            self._send()
        else:
            asyncio.get_running_loop().call_later(self._due - now, self._send)


async def send_requests(address: str, headers: list[str], seconds: float, every: float) -> Tally:
    """Send requests for `seconds`. Later responses do not count."""
    parts = urlsplit(address)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    request = "\r\n".join([f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", *headers, "", ""])
    tally = Tally()
    loop = asyncio.get_running_loop()
    connections = [
        await loop.create_connection(
            lambda: Connection(request.encode(), every, tally),
            parts.hostname or "",
            parts.port or 80,
        )
        for _ in range(CLIENTS)
    ]
    for number, (_, connection) in enumerate(connections):
        loop.call_later(every * number / CLIENTS, connection.start)
    await asyncio.sleep(seconds)
    tally.is_over = True
    for transport, _ in connections:
        transport.abort()
    return tally


def main() -> None:
    """Send requests and print a summary as one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.api_load", description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--header", action="append", default=[], help="'Name: value'")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--every", type=float, default=0.0, help="seconds between two requests")
    given = parser.parse_args()
    tally = uvloop.run(send_requests(given.address, given.header, given.seconds, given.every))
    if not tally.latencies:
        parser.exit(1, f"GET {given.address}: no response within {given.seconds} seconds\n")
    # A summary, because a reader may get only a part of a line of several hundred kilobytes.
    print(json.dumps({"load": asdict(tally.load(given.seconds)), "failures": tally.failures}))


if __name__ == "__main__":
    main()
