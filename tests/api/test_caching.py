"""Caching: Cache-Control, ETag, Last-Modified and content encodings."""

import gzip
from email.utils import parsedate_to_datetime

import httpx
import pyarrow as pa
import pytest

from tests.api.lake import Lake
from tests.api.test_health import samples
from weather.published import read_published

DATA = ["/weather/summary", "/weather/latest", "/weather/monthly", "/weather/yearly"]
DATA += ["/weather/hourly?start=2025-11-11&end=2025-11-20", "/locations"]
PAGES = ["/", "/openapi.json"]


def raw(client: httpx.Client, path: str, encoding: str) -> tuple[httpx.Headers, bytes]:
    """Return the headers and the encoded body."""
    with client.stream("GET", path, headers={"Accept-Encoding": encoding}) as response:
        return response.headers, b"".join(response.iter_raw())


@pytest.mark.parametrize("path", DATA)
def test_responses_have_cache_control(client: httpx.Client, filled_lake: Lake, path: str) -> None:
    response = client.get(path)
    published = read_published(filled_lake.store)
    assert published is not None
    assert response.headers["cache-control"] == "public, max-age=60"
    assert response.headers["etag"].startswith(f'"{published.snapshot_id}-')
    assert response.headers["vary"] == "accept, accept-encoding"
    modified = parsedate_to_datetime(response.headers["last-modified"])
    assert modified == published.published_at.replace(microsecond=0)
    assert "x-weather-stale" not in response.headers


@pytest.mark.parametrize("path", [*DATA, *PAGES])
@pytest.mark.parametrize("form", ["{}", 'W/{}, "other"', '"other", {}', "*"])
def test_a_matching_etag_gets_304(client: httpx.Client, path: str, form: str) -> None:
    whole = client.get(path)
    known = {"If-None-Match": form.format(whole.headers["etag"])}
    response = client.get(path, headers=known)
    assert response.status_code == 304
    assert response.content == b""
    assert "content-length" not in response.headers
    for name in ("etag", "cache-control", "vary"):
        assert response.headers[name] == whole.headers[name]
    # A cache miss gives the same.
    other = client.get(f"{path}{'&' if '?' in path else '?'}", headers=known)
    assert other.status_code == 304


@pytest.mark.parametrize("known", ['"other"', "other", "", '"', '""'])
def test_a_different_etag_gets_200(client: httpx.Client, known: str) -> None:
    modified = client.get("/weather/summary").headers["last-modified"]
    headers = {"If-None-Match": known, "If-Modified-Since": modified}
    assert client.get("/weather/summary", headers=headers).status_code == 200


def test_if_modified_since(client: httpx.Client) -> None:
    modified = client.get("/weather/summary").headers["last-modified"]
    expected = {
        modified: 304,
        "Sat, 01 Jan 2050 00:00:00 GMT": 304,
        "Sat, 01 Jan 2000 00:00:00 GMT": 200,
        "yesterday": 200,
        "": 200,
    }
    for since, status in expected.items():
        response = client.get("/weather/summary", headers={"If-Modified-Since": since})
        assert response.status_code == status, since


@pytest.mark.parametrize("encoding", ["zstd", "br", "gzip"])
def test_every_encoding_has_the_same_content(client: httpx.Client, encoding: str) -> None:
    plain_headers, plain = raw(client, "/weather/summary", "identity")
    headers, body = raw(client, "/weather/summary", encoding)
    assert headers["content-encoding"] == encoding
    assert int(headers["content-length"]) == len(body) < len(plain)
    codec = pa.Codec("brotli" if encoding == "br" else encoding)
    assert codec.decompress(body, len(plain), asbytes=True) == plain
    assert headers["etag"] != plain_headers["etag"]


def test_small_responses_and_parquet_are_not_compressed(client: httpx.Client) -> None:
    for path in ("/weather/latest", "/weather/summary?format=parquet"):
        headers, _ = raw(client, path, "gzip")
        assert "content-encoding" not in headers


def test_gzip_is_readable_by_python(client: httpx.Client) -> None:
    _, body = raw(client, "/weather/summary", "gzip")
    assert gzip.decompress(body) == client.get("/weather/summary").content


@pytest.mark.parametrize("path", [*DATA, *PAGES, "/healthz", "/readyz", "/metrics"])
def test_head_has_the_headers_and_no_body(client: httpx.Client, path: str) -> None:
    whole, head = client.get(path), client.head(path)
    assert head.status_code == whole.status_code
    assert head.content == b""
    if "etag" in whole.headers:
        assert head.headers["etag"] == whole.headers["etag"]
        assert head.headers["content-length"] == whole.headers["content-length"]


def test_a_repeated_request_is_a_cache_hit(client: httpx.Client) -> None:
    client.get("/weather/summary?limit=3")
    before = samples(client)
    for _ in range(5):
        client.get("/weather/summary?limit=3")
    after = samples(client)
    assert after['weather_answers_total{answer="ready"}'] == 5 + before.get(
        'weather_answers_total{answer="ready"}', 0
    )
    assert after["weather_ready_bytes"] > 0


def test_errors_are_not_cached(client: httpx.Client) -> None:
    for path in ("/weather/summary?location=nowhere", "/weather/summary?limit=0", "/nowhere"):
        response = client.get(path)
        assert response.headers["cache-control"] == "no-store"
        assert "etag" not in response.headers
