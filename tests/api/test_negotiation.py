"""Content negotiation."""

import httpx
import pytest

from api.formats.negotiation import (
    FRONT_PAGE,
    MAX_ITEMS,
    ROWS,
    best_encoding,
    best_media_type,
)

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/plain", "application/json"),
        ("text/html", "application/json"),
        (BROWSER, "application/json"),
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("TEXT/CSV; charset=utf-8", "text/csv"),
        ("text/csv;q=0.5, application/json;q=0.4", "text/csv"),
        ("application/json, text/csv", "application/json"),
        ("text/csv, application/json", "text/csv"),
        ("text/csv, */*", "text/csv"),
        ("*/*, text/csv", "application/json"),
        ("application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.stream"),
        # Rows have no HTML.
        ("text/html, text/csv;q=0.9", "text/csv"),
        ("text/html;q=0.9, text/csv;q=0.8, application/json;q=0.1", "text/csv"),
        # The more specific media range wins.
        ("application/json;q=0, */*", "text/csv"),
        ("*/*, application/json;q=0.5", "text/csv"),
        ("*/*;q=0.1, application/*;q=0, application/vnd.apache.parquet", ROWS[2]),
        ("text/*, text/csv;q=0, */*;q=0.5", "application/json"),
        # None of these is acceptable.
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=none", "application/json"),
        ("*/*;q=0", "application/json"),
        (";;,,=", "application/json"),
    ],
)
def test_media_types_of_rows(accept: str, expected: str) -> None:
    assert best_media_type(accept.encode(), ROWS) == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json, text/html", "application/json"),
        ("text/html, application/json", "text/html"),
        (BROWSER, "text/html"),
        ("text/csv, text/html;q=0.5", "text/html"),
        ("text/*", "text/html"),
        ("text/csv", "application/json"),
    ],
)
def test_media_types_of_the_front_page(accept: str, expected: str) -> None:
    assert best_media_type(accept.encode(), FRONT_PAGE) == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "identity"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("gzip;q=0", "identity"),
        ("gzip;q=1, zstd;q=0.5", "gzip"),
        ("*", "zstd"),
        ("*;q=0", "identity"),
        ("identity", "identity"),
        ("deflate", "identity"),
        ("gzip;q=0.5, identity", "identity"),
    ],
)
def test_accept_encoding(accept: str, expected: str) -> None:
    assert best_encoding(accept.encode()) == expected


def test_the_number_of_negotiated_items_is_limited() -> None:
    # An item within the limit counts, and an item beyond it is ignored.
    few, many = b"a, " * (MAX_ITEMS - 1), b"a, " * MAX_ITEMS
    for header, media_type, encoding in (
        (few, "text/csv", "gzip"),
        (many, "application/json", "identity"),
    ):
        assert best_media_type(header + b"text/csv", ROWS) == media_type
        assert best_encoding(header + b"gzip") == encoding


def test_html_is_offered_only_at_the_root(client: httpx.Client) -> None:
    accept = {"Accept": "text/html, text/csv;q=0.9"}
    for path, media_type in (("/", "text/html"), ("/weather/summary", "text/csv")):
        assert client.get(path, headers=accept).headers["content-type"].startswith(media_type)


@pytest.mark.parametrize("values", [("application/xml", "text/csv"), ("text/csv", "text/plain")])
def test_repeated_headers_are_joined(client: httpx.Client, values: tuple[str, ...]) -> None:
    accept = [("Accept", value) for value in values]
    # httpx would add its default headers.
    request = client.build_request("GET", "/weather/summary")
    request.headers = httpx.Headers(
        [("Host", request.headers["host"]), *accept, ("X-Request-ID", "a"), ("X-Request-ID", "b")]
    )
    for _ in range(2):
        response = client.send(request)
        assert response.headers["content-type"].startswith("text/csv")
        assert "," not in response.headers["x-request-id"]


def test_several_etags_in_if_none_match(client: httpx.Client) -> None:
    etag = client.get("/weather/summary").headers["etag"]
    for known in ((etag, '"other"'), ('"other"', etag)):
        headers = [("If-None-Match", each) for each in known]
        assert client.get("/weather/summary", headers=headers).status_code == 304
