"""The protocol's fast path sends the same responses as the application."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest

from api.http.cache import ResponseHead
from tests.api.lake import Lake
from tests.api.server import running_api
from tests.api.sockets import Reply, everything_from, replies, send_raw
from tests.api.test_health import samples

READY = b"/weather/summary?limit=5"
UNUSUAL = b"Content-Length: 0\r\n"
"""A header that prevents the fast path."""
CHANGING_HEADERS = {b"date", b"x-request-id"}
NOT_KEPT = b"/no/such/path"
MORE_THAN_ANY_BUFFER = 400_000
LAST = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def request(path: bytes, headers: bytes = b"") -> bytes:
    return b"GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n" % (path, headers)


def pipelined(client: httpx.Client, *requests: bytes) -> list[Reply]:
    """Pipeline requests, and return their responses."""
    return list(replies(send_raw(client, b"".join(requests) + LAST)))[:-1]


def bytes_taken(connection: socket.socket, requests: bytes) -> int:
    """Return the number of bytes that the server accepts before backpressure begins."""
    sent = 0
    with suppress(TimeoutError):
        while sent < len(requests):
            sent += connection.send(requests[sent : sent + 65536])
    return sent


def cache_hits(client: httpx.Client) -> float:
    """Return the number of cache hits."""
    return samples(client).get('weather_answers_total{answer="ready"}', 0)


@pytest.fixture(scope="module", params=["", "https://elsewhere.example", "*"])
def any_client(
    request: pytest.FixtureRequest, filled_lake: Lake, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """Clients of APIs that allow no origin, one origin and any origin."""
    environment = {**filled_lake.environment, "WEATHER_API_CORS_ORIGINS": request.param}
    with running_api(environment, tmp_path_factory.mktemp("api") / "log") as client:
        yield client


@pytest.mark.parametrize("path", [READY, b"/", b"/locations", b"/openapi.json?", NOT_KEPT])
@pytest.mark.parametrize(
    "headers",
    [
        b"",
        b"Accept-Encoding: br\r\n",
        b"Accept: text/csv\r\nAccept-Encoding: gzip, zstd\r\n",
        b"If-None-Match: *\r\n",
        b"X-Request-Id: mine-1\r\n",
        b"X-Request-Id: not mine\r\n",
        b"Origin: https://elsewhere.example\r\n",
    ],
)
def test_fast_path_equals_the_application(
    any_client: httpx.Client, path: bytes, headers: bytes
) -> None:
    # The first connection fills the cache for the second one.
    pipelined(any_client, request(path, headers))
    before = cache_hits(any_client)
    at_once, usual = pipelined(any_client, request(path, headers), request(path, headers + UNUSUAL))
    assert cache_hits(any_client) - before == (0 if path == NOT_KEPT else 2)
    assert at_once[0] == usual[0]
    assert at_once[2] == usual[2]
    assert at_once[1].keys() == usual[1].keys()
    given = b"mine-1" in headers
    for name, value in usual[1].items():
        assert at_once[1][name] == value or name in CHANGING_HEADERS
    assert (at_once[1][b"x-request-id"] == usual[1][b"x-request-id"]) is given


def test_pipelined_responses_keep_the_order(client: httpx.Client) -> None:
    paths = [
        path
        for number in range(20, 40)
        for path in (READY, b"/weather/summary?limit=%d" % number, NOT_KEPT, READY)
    ]
    alone = {path: pipelined(client, request(path))[0] for path in {READY, NOT_KEPT}}
    assert alone[READY][0] != alone[NOT_KEPT][0]
    found = pipelined(client, *map(request, paths))
    assert len(found) == len(paths)
    for path, (first, headers, body) in zip(paths, found, strict=True):
        if path in alone:
            assert (first, body) == (alone[path][0], alone[path][2])
        else:
            assert headers[b"x-request-id"]
            assert body == client.get(path.decode()).content


def test_a_request_body_is_not_parsed_as_a_request(client: httpx.Client) -> None:
    inside = request(b"/inside")
    around = request(READY, b"Content-Length: %d\r\n" % len(inside)) + inside
    found = list(replies(send_raw(client, request(READY) + around + request(READY))))
    assert [first for first, _, _ in found] == [b"HTTP/1.1 200 OK"] * 2
    assert found[1][1][b"connection"] == b"close"


@pytest.mark.parametrize(
    "last",
    [
        b"GET %s HTTP/1.0\r\n\r\n" % READY,
        request(READY, b"Connection: close\r\n"),
        b"HEAD %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % READY,
    ],
)
def test_connection_close_closes_the_connection(client: httpx.Client, last: bytes) -> None:
    assert pipelined(client, request(READY))[0][0] == b"HTTP/1.1 200 OK"
    (reply,) = replies(send_raw(client, last))
    assert reply[0] == b"HTTP/1.1 200 OK"
    assert reply[1][b"connection"] == b"close"
    assert (reply[2] == b"") is last.startswith(b"HEAD")


def test_backpressure_loses_no_response(
    client: httpx.Client,
) -> None:
    (usual,) = pipelined(client, request(READY))
    address = (client.base_url.host, client.base_url.port or 80)
    requests = request(READY) * MORE_THAN_ANY_BUFFER
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        connection.settimeout(1)
        connection.connect(address)
        sent = bytes_taken(connection, requests)
        assert sent < len(requests)
        whole, part = divmod(sent, len(request(READY)))
        with ThreadPoolExecutor(1) as reader:
            received = reader.submit(everything_from, connection)
            connection.settimeout(None)
            connection.sendall(request(READY)[part:] + LAST)
            found = list(replies(received.result()))
    assert len(found) == whole + 2
    assert {body for _, _, body in found[:-1]} == {usual[2]}


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\0", b"\x7f"])
def test_a_header_with_a_control_character_is_rejected(value: bytes) -> None:
    with pytest.raises(ValueError, match="control character"):
        ResponseHead(200, [(b"link", value)])
