"""The HTTP protocol: request bodies, invalid requests and `Host`."""

import json
from pathlib import Path

import httpx
import pytest

from tests.api.lake import Lake
from tests.api.server import running_api
from tests.api.sockets import Reply, replies, send_raw

READY = b"/weather/summary?limit=4"
LAST = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def found(client: httpx.Client, *requests: bytes) -> list[Reply]:
    """Pipeline requests, and return the responses until the server closes."""
    return list(replies(send_raw(client, b"".join(requests))))


def get(path: bytes, headers: bytes = b"Host: a\r\n") -> bytes:
    return b"GET %s HTTP/1.1\r\n%s\r\n" % (path, headers)


def make_ready(client: httpx.Client) -> None:
    """Fill the cache with the response to later requests."""
    assert client.get(READY.decode(), headers={"Accept-Encoding": "identity"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "status"), [(b"GET", b"200 OK"), (b"POST", b"405 Method Not Allowed")]
)
@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 5\r\n\r\n",
        b"Content-Length: 5\r\n\r\nhe",
        b"Content-Length: 5\r\n\r\nhello",
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        # Endless trailers.
        b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: a\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nno chunk\r\n",
    ],
)
def test_a_request_body_closes_the_connection(
    client: httpx.Client, method: bytes, status: bytes, body: bytes
) -> None:
    make_ready(client)
    ((first, headers, _),) = found(client, b"%s %s HTTP/1.1\r\nHost: a\r\n" % (method, READY), body)
    assert first == b"HTTP/1.1 %s" % status
    assert headers[b"connection"] == b"close"


def test_an_empty_body_keeps_the_connection(client: httpx.Client) -> None:
    empty = b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    assert [first for first, _, _ in found(client, empty, LAST)] == [
        b"HTTP/1.1 405 Method Not Allowed",
        b"HTTP/1.1 200 OK",
    ]


HOST_IS_NAMED = "one, such as `Host: example.org`"
ENCODING_IS_NAMED = "percent-encode"

REJECTED = [
    (b"BROKEN\r\n\r\n", 400, "valid HTTP/1.1"),
    (b"GET / HTTP/1.1\nHost: a\n\n", 400, "valid HTTP/1.1"),
    (get(b"/", b"Host: a\r\nX: a\r\n b\r\n"), 400, "valid HTTP/1.1"),
    (get(b"/", b"Host: a\r\nX: a\rb\r\n"), 400, "valid HTTP/1.1"),
    (get(b"/", b"Host : a\r\n"), 400, "valid HTTP/1.1"),
    (
        get(b"/", b"Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
        400,
        "valid HTTP/1.1",
    ),
    # Missing and repeated hosts.
    (get(b"/", b""), 400, HOST_IS_NAMED),
    (get(b"/", b"Host: a\r\nHost: b\r\n"), 400, HOST_IS_NAMED),
    (get(b"/", b"Host: a\r\nHost: a\r\n"), 400, HOST_IS_NAMED),
    *(
        (get(b"/", b"Host: %s\r\n" % host), 400, HOST_IS_NAMED)
        for host in [
            *(b"", b" ", b"a b", b"a, b", b"a/b", b"http://a", b"user@a", b"a?b", b"a#b"),
            *(b"a:b", b"a:1:2", b":80", b"[::1", b"::1", b"[]", b"[a b]", b"a%zz"),
            *(b"\xc3\xa9.example", b'"a"', b"<a>", b"a\\b"),
        ]
    ),
    (b"GET / HTTP/1.0\r\nHost: a b\r\n\r\n", 400, HOST_IS_NAMED),
    *(
        (get(path), 400, ENCODING_IS_NAMED)
        for path in [
            "/caf\u00e9".encode(),
            "/weather/summary?location=\u6771\u4eac".encode(),
            b"/weather/summary?location=\xe9",
            b"/weather/summary?location=new york",
            b"/weather/summary?location=\x01",
        ]
    ),
    *(
        (b"GET / HTTP/%s\r\nHost: a\r\n\r\n" % version, 505, "use HTTP/1.1")
        for version in (b"0.9", b"1.2", b"2.0", b"3.0")
    ),
    (b"GET /\r\n\r\n", 505, "use HTTP/1.1"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "use HTTP/1.1"),
]
"""Requests, each with the status and a part of the detail of the expected response."""


@pytest.mark.parametrize(("request_", "status", "detail"), REJECTED)
def test_an_invalid_request_is_rejected_with_its_reason(
    client: httpx.Client, request_: bytes, status: int, detail: str
) -> None:
    make_ready(client)
    # As the first request of a connection, and after a response.
    (first,) = found(client, request_, get(b"/healthz"))
    response, after_a_response = found(client, get(READY), request_, get(b"/healthz"))
    assert response[0] == b"HTTP/1.1 200 OK"
    for line, headers, body in (first, after_a_response):
        assert line.split()[1] == b"%d" % status
        assert headers[b"connection"] == b"close"
        assert headers[b"content-type"] == b"application/problem+json"
        assert headers[b"cache-control"] == b"no-store"
        assert headers[b"x-content-type-options"] == b"nosniff"
        assert headers[b"date"]
        problem = json.loads(body)
        assert problem["status"] == status
        assert detail in problem["detail"]


@pytest.mark.parametrize(
    "host",
    [
        *(b"a", b"a:", b"127.0.0.1:8000", b"[::1]", b"[::1]:8000", b"[fe80::1%25eth0]:80"),
        *(b"weather-api.weather.svc.cluster.local.:8000", b"my_api", b"xn--caf-dma.example"),
        b"caf%C3%A9.example",
    ],
)
@pytest.mark.parametrize("path", [READY, b"/healthz"])
def test_a_valid_host_is_accepted(client: httpx.Client, path: bytes, host: bytes) -> None:
    make_ready(client)
    headers = b"Host: %s\r\nConnection: close\r\n" % host
    assert [line for line, _, _ in found(client, get(path, headers))] == [b"HTTP/1.1 200 OK"]


@pytest.mark.parametrize("target", [b"http://a/healthz", b"https://b:443/healthz?"])
def test_an_absolute_target_is_routed_by_its_path(client: httpx.Client, target: bytes) -> None:
    reply, _ = found(client, get(target), LAST)
    assert json.loads(reply[2]) == {"status": "ok"}


@pytest.mark.parametrize("broken", [b"BROKEN\r\n\r\n", get(b"/", b"")])
def test_a_rejection_waits_for_earlier_responses(client: httpx.Client, broken: bytes) -> None:
    paths = [READY, b"/healthz", b"/weather/summary?limit=4&format=csv"]
    responses = found(client, *map(get, paths), broken, get(b"/healthz"))
    assert [body for _, _, body in responses] == [
        client.get(path.decode()).content for path in paths
    ]
    assert [headers.get(b"connection") for _, headers, _ in responses] == [None, None, b"close"]


def test_a_431_waits_for_earlier_responses(client: httpx.Client) -> None:
    too_long = get(b"/", b"Host: a\r\nX-Long: %s\r\n" % (b"x" * 33_000))
    response, *rejections = found(client, get(b"/healthz"), too_long)
    assert response[0] == b"HTTP/1.1 200 OK"
    # The 431 may arrive after the first response.
    assert {first.split()[1] for first, _, _ in rejections} <= {b"431"}


def test_http_1_0_needs_no_host(client: httpx.Client) -> None:
    (reply,) = found(client, b"GET /healthz HTTP/1.0\r\n\r\n")
    assert reply[0] == b"HTTP/1.1 200 OK"


def test_h2c_upgrades_are_ignored(filled_lake: Lake, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running_api(filled_lake.environment, log) as client:
        headers = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": ""}
        responses = [client.get("/weather/latest", headers=headers) for _ in range(2)]
        assert [response.status_code for response in responses] == [200, 200]
        assert responses[0].http_version == "HTTP/1.1"
    assert "upgrade" not in log.read_text().lower()
