"""Limits on request heads, CORS by default, and internal errors."""

import asyncio
import json
import socket
import time
from contextlib import ExitStack
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from api.http.cache import ResponseCache
from api.http.middleware import CacheMiddleware
from api.http.protocol import HEAD_TIMEOUT_SECONDS, MAX_HEAD_BYTES
from api.observability.logs import AccessLog
from api.observability.metrics import RequestMetrics
from tests.api.lake import Lake
from tests.api.server import running_api
from tests.api.sockets import everything_from, send_raw
from tests.timeouts import TIMEOUT_SECONDS

ELSEWHERE = "https://elsewhere.example"


def head_of(length: int, line: bytes = b"a: b\r\n") -> bytes:
    """Build a head of this length from repeated lines."""
    start, end = b"GET /healthz HTTP/1.1\r\nHost: a\r\n", b"X: %s\r\n\r\n"
    lines, rest = divmod(length - len(start) - len(end) + 2, len(line))
    return start + line * lines + end % (b"y" * rest)


TOO_LONG = [
    b"GET /?%s HTTP/1.1\r\nHost: a\r\n\r\n" % (b"x" * MAX_HEAD_BYTES),
    b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: %s\r\n\r\n" % (b"x" * MAX_HEAD_BYTES),
    # Names, separators and the request line count too.
    head_of(120_000),
    head_of(120_000, b"a:\r\n"),
    head_of(120_000, b"%s: b\r\n" % (b"a" * 60)),
    head_of(MAX_HEAD_BYTES + 1),
    b"GET / HTTP/1.1\r\nHost: a\r\nX:%sy\r\n\r\n" % (b" " * MAX_HEAD_BYTES),
    b"GET / HTTP/1.1\r\nHost: a\r\nX: y%s\r\n\r\n" % (b" " * MAX_HEAD_BYTES),
    # An incomplete head.
    b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: %s" % (b"x" * MAX_HEAD_BYTES),
]


@pytest.mark.parametrize("head", TOO_LONG)
@pytest.mark.parametrize("part", [1000, 1_000_000])
def test_a_too_long_header_gets_431(client: httpx.Client, head: bytes, part: int) -> None:
    address = (client.base_url.host, client.base_url.port or 80)
    with socket.create_connection(address, TIMEOUT_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(head), part):
            connection.sendall(head[start : start + part])
        first, _, rest = everything_from(connection).partition(b"\r\n")
    assert first == b"HTTP/1.1 431 Request Header Fields Too Large"
    problem = json.loads(rest.partition(b"\r\n\r\n")[2])
    assert problem["status"] == 431
    assert "32 KiB" in problem["detail"]


def test_a_header_of_maximum_length_is_accepted(client: httpx.Client) -> None:
    longest = head_of(MAX_HEAD_BYTES)
    assert len(longest) == MAX_HEAD_BYTES
    # Several pipelined heads are not one long head.
    last = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    received = send_raw(client, longest * 5 + last * 2)
    assert received.count(b"HTTP/1.1 200 OK") == 6


BEGUN = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"

UNFINISHED = {
    (b"",): 0,
    (BEGUN,): 0,
    (BEGUN + b"\r\n" + BEGUN,): 1,
    (BEGUN + b"\r\n", BEGUN): 1,
    # An empty line begins no request, but cancels uvicorn's keep-alive timer.
    (BEGUN + b"\r\n", b"\r\n"): 1,
}
"""Parts that a client sends before it stalls, with the expected number of 200 responses."""


@pytest.mark.slow
def test_an_incomplete_header_times_out(client: httpx.Client) -> None:
    address = (client.base_url.host, client.base_url.port or 80)
    timeout = HEAD_TIMEOUT_SECONDS + TIMEOUT_SECONDS
    with ExitStack() as connections:
        slow = {
            parts: connections.enter_context(socket.create_connection(address, timeout))
            for parts in UNFINISHED
        }
        received = dict.fromkeys(slow, b"")
        for (first, *others), connection in slow.items():
            connection.sendall(first)
            for other in others:
                received[first, *others] += connection.recv(65536)
                connection.sendall(other)
        for parts, connection in slow.items():
            received[parts] += everything_from(connection)
    assert {each: received[each].count(b"HTTP/1.1 200 OK") for each in received} == UNFINISHED
    # An incomplete head gets 408, and an idle connection closes silently.
    timeouts = {each for each in received if received[each].startswith(b"HTTP/1.1 408 ")}
    assert timeouts == {(BEGUN,)}
    assert received[b"",] == b""


def test_a_header_in_small_parts_is_accepted(client: httpx.Client) -> None:
    address = (client.base_url.host, client.base_url.port or 80)
    with socket.create_connection(address, TIMEOUT_SECONDS) as connection:
        for byte in b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n":
            connection.sendall(bytes([byte]))
            time.sleep(0.005)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_cors_is_off_by_default(client: httpx.Client, filled_lake: Lake, tmp_path: Path) -> None:
    cross_origin = {"Origin": ELSEWHERE}
    assert (
        "access-control-allow-origin" not in client.get("/locations", headers=cross_origin).headers
    )
    environment = {**filled_lake.environment, "WEATHER_API_CORS_ORIGINS": f"{ELSEWHERE}, http://b"}
    with running_api(environment, tmp_path / "log") as open_client:
        response = open_client.get("/weather/summary", headers=cross_origin)
        assert response.headers["access-control-allow-origin"] == ELSEWHERE
        assert "Link" in response.headers["access-control-expose-headers"]
        other = open_client.get("/weather/summary", headers={"Origin": "https://c.example"})
        assert "access-control-allow-origin" not in other.headers
        preflight = {**cross_origin, "Access-Control-Request-Method": "GET"}
        assert open_client.options("/weather/summary", headers=preflight).status_code == 200
        writing = {**cross_origin, "Access-Control-Request-Method": "POST"}
        assert open_client.options("/weather/summary", headers=writing).status_code == 400


def test_an_internal_error_has_no_details(caplog: pytest.LogCaptureFixture) -> None:
    async def defective(_: Scope, __: Receive, ___: Send) -> None:
        raise RuntimeError("password in /srv/secret.py")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("The request has no body")

    served: Any = SimpleNamespace(responses=ResponseCache(1000), stale_headers=[], snapshot=None)
    watcher: Any = SimpleNamespace(served=served)
    log = AccessLog(StringIO())
    scope: Scope = {
        "type": "http",
        "method": "GET",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [(b"x-request-id", b"mine-1")],
        "client": None,
    }
    asyncio.run(CacheMiddleware(defective, watcher, RequestMetrics(), log)(scope, receive, send))
    log.close()
    start, body = sent
    assert start["status"] == 500
    problem = json.loads(body["body"])
    assert problem["title"] == "Internal Server Error"
    assert "secret" not in str(sent)
    assert "secret" in caplog.text
