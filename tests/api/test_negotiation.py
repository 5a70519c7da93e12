"""What clients like best, as their headers say."""

import pytest

from api.negotiation import favourite_encoding, favourite_media_type


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/plain", "application/json"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV; charset=utf-8", "text/csv"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("text/csv;q=0.5, application/json;q=0.4", "text/csv"),
        ("application/json, text/html", "application/json"),
        ("application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.stream"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=none", "application/json"),
        (";;,,=", "application/json"),
    ],
)
def test_media_types(accept: str, expected: str) -> None:
    assert favourite_media_type(accept.encode()) == expected


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
def test_encodings(accept: str, expected: str) -> None:
    assert favourite_encoding(accept.encode()) == expected
