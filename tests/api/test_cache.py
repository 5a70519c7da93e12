"""The response cache: limited memory, and compression in several threads."""

import subprocess
import sys

import pytest

from api.http.cache import (
    CODECS,
    ENTRY_OVERHEAD_BYTES,
    CacheKey,
    CompleteResponse,
    ResponseCache,
    ResponseHead,
)


def key(number: int) -> CacheKey:
    return (b"/", f"{number:04}".encode(), "application/json", "identity")


def response(size: int) -> CompleteResponse:
    return CompleteResponse(ResponseHead(200, []), b"x" * size, "/", b'"1"')


def test_the_least_recently_used_responses_are_evicted() -> None:
    room = 3 * (1000 + ENTRY_OVERHEAD_BYTES + 5)
    ready = ResponseCache(room)
    for number in range(3):
        ready.put(key(number), response(1000))
    assert ready.get(key(0)) is not None
    ready.put(key(3), response(1000))
    assert [number for number in range(4) if ready.get(key(number))] == [0, 2, 3]
    assert ready.bytes <= room


def test_a_response_larger_than_the_cache_is_not_cached() -> None:
    ready = ResponseCache(10_000)
    ready.put(key(1), response(20_000))
    assert ready.get(key(1)) is None
    assert len(ready) == ready.bytes == 0


def test_a_replaced_response_is_counted_once() -> None:
    ready = ResponseCache(100_000)
    ready.put(key(1), response(1000))
    once = ready.bytes
    ready.put(key(1), response(1000))
    assert (len(ready), ready.bytes) == (1, once)


PROGRAM = """
import sys
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

from api.http.cache import CODECS, cacheable_response

encoding = sys.argv[1]
bodies = [str([*range(number, 20_000 + number)]).encode() for number in range(200)]

def is_whole(body):
    response = cacheable_response([(b"content-type", b"text/csv")], body, "/", encoding, 1)
    return pa.decompress(response.body, len(body), CODECS[encoding][0], asbytes=True) == body

with ThreadPoolExecutor(8) as threads:
    assert all(threads.map(is_whole, bodies))
"""


@pytest.mark.parametrize("encoding", CODECS)
def test_concurrent_compression_returns_whole_bodies(encoding: str) -> None:
    # In a subprocess, because threads that share a codec's state may crash.
    subprocess.run([sys.executable, "-c", PROGRAM, encoding], check=True)
