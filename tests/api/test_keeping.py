"""Answers that are made once: how clients keep them, and in which encodings they come."""

import gzip
from email.utils import parsedate_to_datetime

import httpx
import pyarrow as pa
import pytest

from tests.api.lake import Lake
from tests.api.test_operations import samples
from weather.published import read_published

DATA = ["/weather/summary", "/weather/latest", "/weather/monthly", "/weather/yearly"]
DATA += ["/weather/hourly?start=2025-11-11&end=2025-11-20", "/locations"]
PAGES = ["/", "/openapi.json"]


def raw(client: httpx.Client, path: str, encoding: str) -> tuple[httpx.Headers, bytes]:
    """The headers, and the body as it came."""
    with client.stream("GET", path, headers={"Accept-Encoding": encoding}) as answer:
        return answer.headers, b"".join(answer.iter_raw())


@pytest.mark.parametrize("path", DATA)
def test_answers_say_how_long_they_hold(client: httpx.Client, filled_lake: Lake, path: str) -> None:
    answer = client.get(path)
    published = read_published(filled_lake.store)
    assert published is not None
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["etag"].startswith(f'"{published.snapshot_id}-')
    assert answer.headers["vary"] == "accept, accept-encoding"
    modified = parsedate_to_datetime(answer.headers["last-modified"])
    assert modified == published.published_at.replace(microsecond=0)
    assert "x-weather-stale" not in answer.headers


@pytest.mark.parametrize("path", [*DATA, *PAGES])
@pytest.mark.parametrize("form", ["{}", 'W/{}, "other"', '"other", {}', "*"])
def test_who_has_it_gets_no_body(client: httpx.Client, path: str, form: str) -> None:
    whole = client.get(path)
    known = {"If-None-Match": form.format(whole.headers["etag"])}
    answer = client.get(path, headers=known)
    assert answer.status_code == 304
    assert answer.content == b""
    assert "content-length" not in answer.headers
    for name in ("etag", "cache-control", "vary"):
        assert answer.headers[name] == whole.headers[name]
    # One that never was made before gives the same.
    other = client.get(f"{path}{'&' if '?' in path else '?'}", headers=known)
    assert other.status_code == 304


@pytest.mark.parametrize("known", ['"other"', "other", "", '"', '""'])
def test_who_has_something_else_gets_it(client: httpx.Client, known: str) -> None:
    modified = client.get("/weather/summary").headers["last-modified"]
    headers = {"If-None-Match": known, "If-Modified-Since": modified}
    assert client.get("/weather/summary", headers=headers).status_code == 200


def test_dates_tell_as_well(client: httpx.Client) -> None:
    modified = client.get("/weather/summary").headers["last-modified"]
    expected = {
        modified: 304,
        "Sat, 01 Jan 2050 00:00:00 GMT": 304,
        "Sat, 01 Jan 2000 00:00:00 GMT": 200,
        "yesterday": 200,
        "": 200,
    }
    for since, status in expected.items():
        answer = client.get("/weather/summary", headers={"If-Modified-Since": since})
        assert answer.status_code == status, since


@pytest.mark.parametrize("encoding", ["zstd", "br", "gzip"])
def test_every_encoding_holds_the_same(client: httpx.Client, encoding: str) -> None:
    plain_headers, plain = raw(client, "/weather/summary", "identity")
    headers, body = raw(client, "/weather/summary", encoding)
    assert headers["content-encoding"] == encoding
    assert int(headers["content-length"]) == len(body) < len(plain)
    codec = pa.Codec("brotli" if encoding == "br" else encoding)
    assert codec.decompress(body, len(plain), asbytes=True) == plain
    assert headers["etag"] != plain_headers["etag"]


def test_small_answers_and_parquet_come_as_they_are(client: httpx.Client) -> None:
    for path in ("/weather/latest", "/weather/summary?format=parquet"):
        headers, _ = raw(client, path, "gzip")
        assert "content-encoding" not in headers


def test_any_gzip_reader_reads_it(client: httpx.Client) -> None:
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


def test_what_was_asked_before_is_ready(client: httpx.Client) -> None:
    client.get("/weather/summary?limit=3")
    before = samples(client)
    for _ in range(5):
        client.get("/weather/summary?limit=3")
    after = samples(client)
    assert after['weather_answers_total{answer="ready"}'] == 5 + before.get(
        'weather_answers_total{answer="ready"}', 0
    )
    assert after["weather_ready_bytes"] > 0


def test_errors_are_not_kept(client: httpx.Client) -> None:
    for path in ("/weather/summary?location=nowhere", "/weather/summary?limit=0", "/nowhere"):
        answer = client.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers
