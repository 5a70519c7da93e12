"""Answers are compressed in several threads at once."""

import subprocess
import sys

import pytest

from api.http.cache import CODECS

PROGRAM = """
import sys
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

from api.http.cache import CODECS, cacheable_response

encoding = sys.argv[1]
bodies = [str([*range(number, 20_000 + number)]).encode() for number in range(200)]

def is_whole(body):
    answer = cacheable_response([(b"content-type", b"text/csv")], body, "/", encoding, 1)
    return pa.decompress(answer.body, len(body), CODECS[encoding][0], asbytes=True) == body

with ThreadPoolExecutor(8) as threads:
    assert all(threads.map(is_whole, bodies))
"""


@pytest.mark.parametrize("encoding", CODECS)
def test_answers_that_are_compressed_at_once_are_whole(encoding: str) -> None:
    # In a process of its own, because what shares a codec's state may end its process.
    subprocess.run([sys.executable, "-c", PROGRAM, encoding], check=True)
