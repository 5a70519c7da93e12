"""Range requests, and libraries that read URLs with range requests."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import httpx
import pandas
import polars
import pyarrow.csv
import pyarrow.dataset
import pyarrow.ipc
import pyarrow.parquet
import pytest
from fsspec.implementations.http import HTTPFileSystem

from tests.api.conftest import LYONS_DAYS, TUESDAY, Serve
from tests.api.lake import Lake, a_day
from tests.api.server import eventually

ALL = "/weather/summary?location=all"
FORMATS = ["json", "csv", "parquet", "arrow"]
ROWS = LYONS_DAYS + 3 + 1
"""Days of Lyon, of New York and of Atlantis in the lake."""
WARMEST = 19.0
"""The highest temperature in the lake, on Lyon's last day but one."""

BLOCK = 300
"""Block size of fsspec: several ranges for each file."""


def whole(client: httpx.Client, path: str) -> httpx.Response:
    """Return the response without `Range`, uncompressed."""
    response = client.get(path, headers={"Accept-Encoding": "identity"})
    assert response.status_code == 200
    return response


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("encoding", ["identity", "gzip, br, zstd"])
def test_a_range_returns_that_part_of_the_body(
    client: httpx.Client, format_: str, encoding: str
) -> None:
    path = f"{ALL}&format={format_}"
    full = whole(client, path)
    body, length = full.content, len(full.content)
    assert full.headers["accept-ranges"] == "bytes"
    expected = {
        "bytes=0-0": (0, 1),
        "bytes=0-3": (0, 4),
        "bytes=100-199": (100, 200),
        "bytes=100-": (100, length),
        "bytes=-8": (length - 8, length),
        "bytes=-999999": (0, length),
        "bytes=0-999999": (0, length),
        f"bytes={length - 1}-": (length - 1, length),
        "Bytes=1-1": (1, 2),
        "bytes= , 1-2 ,": (1, 3),
        "bytes=007-0008": (7, 9),
    }
    for value, (start, stop) in expected.items():
        part = client.get(path, headers={"Range": value, "Accept-Encoding": encoding})
        assert part.status_code == 206, value
        assert part.content == body[start:stop], value
        assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{length}"
        assert part.headers["content-length"] == str(stop - start)
        assert "content-encoding" not in part.headers
        for name in ("etag", "last-modified", "content-type", "cache-control", "vary", "link"):
            assert part.headers[name] == full.headers[name]


@pytest.mark.parametrize(
    "value",
    [
        *("", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5", "bytes=5-4", "bytes=1.0-2"),
        *("bytes=+1-2", "bytes=--1", "bytes 0-1", "rows=0-1", "bytes=0-1-2", "bytes=0x1-2"),
        # Several ranges are optional to serve (RFC 9110, 14.2).
        *("bytes=0-1,3-4", "bytes=0-1,junk", f"bytes={'9' * 5000}-"),
    ],
)
def test_malformed_and_multiple_ranges_return_the_whole(client: httpx.Client, value: str) -> None:
    full = whole(client, ALL)
    response = client.get(ALL, headers={"Range": value})
    assert response.status_code == 200
    assert response.content == full.content
    assert "content-range" not in response.headers


@pytest.mark.parametrize("value", ["bytes={}-", "bytes={}-{}", "bytes=9999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_416(client: httpx.Client, value: str) -> None:
    full = whole(client, ALL)
    length = len(full.content)
    response = client.get(ALL, headers={"Range": value.format(length, length + 5)})
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{length}"
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert str(length) in response.json()["detail"]
    # The error does not describe the response itself.
    assert whole(client, ALL).content == full.content


@pytest.mark.parametrize("format_", FORMATS)
def test_head_announces_ranges(client: httpx.Client, format_: str) -> None:
    path = f"{ALL}&format={format_}"
    full = whole(client, path)
    for headers in ({}, {"Range": "bytes=0-1"}):
        response = client.head(path, headers={"Accept-Encoding": "identity", **headers})
        assert response.status_code == 200
        assert response.headers["content-length"] == str(len(full.content))
        assert response.headers["accept-ranges"] == "bytes"
        assert response.headers["etag"] == full.headers["etag"]


def test_compressed_responses_have_no_ranges(client: httpx.Client) -> None:
    # The compressed length is not the length that ranges refer to.
    response = client.head(ALL, headers={"Accept-Encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert "accept-ranges" not in response.headers


def test_conditional_headers_precede_the_range(client: httpx.Client) -> None:
    etag = whole(client, ALL).headers["etag"]
    modified = whole(client, ALL).headers["last-modified"]
    long_ago = "Sat, 01 Jan 2000 00:00:00 GMT"
    expected: list[tuple[dict[str, str], int]] = [
        ({"If-Range": etag}, 206),
        ({"If-Range": f"W/{etag}"}, 200),
        ({"If-Range": '"other"'}, 200),
        # Several snapshots may be published in a second: a date is not a strong validator.
        ({"If-Range": modified}, 200),
        ({"If-Match": etag}, 206),
        ({"If-Match": f'"other", {etag}'}, 206),
        ({"If-Match": "*"}, 206),
        ({"If-Match": '"other"'}, 412),
        ({"If-Match": f"W/{etag}"}, 412),
        ({"If-Match": ""}, 412),
        ({"If-Unmodified-Since": modified}, 206),
        ({"If-Unmodified-Since": long_ago}, 412),
        ({"If-Unmodified-Since": "never"}, 206),
        ({"If-Match": etag, "If-Unmodified-Since": long_ago}, 206),
        ({"If-None-Match": etag}, 304),
        ({"If-None-Match": '"other"'}, 206),
        ({"If-Match": '"other"', "If-None-Match": etag}, 412),
    ]
    for headers, status in expected:
        response = client.get(ALL, headers={"Range": "bytes=0-1", **headers})
        assert response.status_code == status, headers
        if status == 412:
            assert response.headers["content-type"] == "application/problem+json"
            assert client.get(ALL, headers=headers).status_code == 412
            assert client.head(ALL, headers=headers).status_code == 412


def test_if_range_detects_a_new_snapshot(lake: Lake, serve: Serve) -> None:
    lake.publish()
    path = "/weather/summary?format=parquet"
    with serve(lake) as client:
        before = client.get(path, headers={"Range": "bytes=0-99"})
        lake.write(a_day("lyon", TUESDAY))
        lake.publish()
        eventually(lambda: client.head(path).headers["etag"] != before.headers["etag"])
        etag = before.headers["etag"]
        rest = client.get(path, headers={"Range": "bytes=100-", "If-Range": etag})
        assert rest.status_code == 200
        assert rest.content == whole(client, path).content
        rest = client.get(path, headers={"Range": "bytes=100-", "If-Match": etag})
        assert rest.status_code == 412


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/no/such/path"])
def test_uncached_responses_have_no_ranges(client: httpx.Client, path: str) -> None:
    response = client.get(path, headers={"Range": "bytes=0-1", "If-Match": '"other"'})
    assert response.status_code == client.get(path).status_code
    assert "accept-ranges" not in response.headers


def test_partial_responses_link_the_next_page(client: httpx.Client) -> None:
    path = f"{ALL}&limit=5&format=csv"
    part = client.get(path, headers={"Range": "bytes=0-9"})
    assert part.links["next"] == whole(client, path).links["next"]


Columns = dict[str, list[Any]]


def by_duckdb(function: str, address: str, extensions: Path) -> Columns:
    with duckdb.connect() as connection:
        connection.execute("SET extension_directory = ?", [str(extensions)])
        connection.execute("LOAD httpfs")
        table = connection.sql(f"FROM {function}('{address}')").to_arrow_table()
        return dict(table.to_pydict())


READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "polars.read_parquet": ("parquet", polars.read_parquet),
    "polars.scan_parquet": ("parquet", lambda address: polars.scan_parquet(address).collect()),
    "polars.read_csv": ("csv", polars.read_csv),
    "polars.scan_csv": ("csv", lambda address: polars.scan_csv(address).collect()),
    "polars.read_ipc_stream": ("arrow", polars.read_ipc_stream),
    "pandas.read_parquet": ("parquet", pandas.read_parquet),
    "pandas.read_csv": ("csv", pandas.read_csv),
    "pandas.read_parquet by fsspec": (
        "parquet",
        lambda address: pandas.read_parquet(fsspec.open(address, block_size=BLOCK).open()),
    ),
    "pyarrow.parquet": (
        "parquet",
        lambda address: pyarrow.parquet.read_table(address, filesystem=HTTPFileSystem()),
    ),
    "pyarrow.dataset": (
        "parquet",
        lambda address: pyarrow.dataset.dataset([address], filesystem=HTTPFileSystem()).to_table(),
    ),
    "pyarrow.csv": (
        "csv",
        lambda address: pyarrow.csv.read_csv(fsspec.open(address, block_size=BLOCK).open()),
    ),
    "pyarrow.ipc": (
        "arrow",
        lambda address: pyarrow.ipc.open_stream(
            fsspec.open(address, block_size=BLOCK).open()
        ).read_all(),
    ),
}
"""Functions that read rows from a URL, each with the format of the rows."""


def assert_rows(locations: list[str], temperatures: list[float | None]) -> None:
    assert sorted(locations) == sorted(["lyon"] * LYONS_DAYS + ["new-york"] * 3 + ["atlantis"])
    assert max(each for each in temperatures if each is not None) == WARMEST


@pytest.mark.parametrize("reader", READERS)
def test_libraries_read_urls(client: httpx.Client, reader: str) -> None:
    format_, read = READERS[reader]
    rows = read(f"{str(client.base_url).rstrip('/')}{ALL}&format={format_}")
    assert len(rows) == ROWS
    assert_rows(
        [str(each) for each in rows["location"]],
        [float(str(each)) for each in rows["temp_max_c"]],
    )


@pytest.mark.parametrize(
    ("function", "format_"),
    [("read_parquet", "parquet"), ("read_csv", "csv"), ("read_json", "json")],
)
def test_duckdb_reads_urls(
    client: httpx.Client, duckdb_extensions: Path, function: str, format_: str
) -> None:
    address = f"{str(client.base_url).rstrip('/')}{ALL}&format={format_}"
    rows = by_duckdb(function, address, duckdb_extensions)
    assert_rows(rows["location"], rows["temp_max_c"])


def test_joined_ranges_equal_the_whole_response(client: httpx.Client) -> None:
    full = json.loads(whole(client, ALL).content)
    address = f"{str(client.base_url).rstrip('/')}{ALL}&format=parquet"
    with fsspec.open(address, block_size=7, cache_type="none").open() as file:
        parts = iter(lambda: file.read(97), b"")
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(b"".join(parts)))
    dates = [each.isoformat() for each in table["date"].to_pylist()]
    assert dates == [row["date"] for row in full]
