"""The access log: one line of JSON for each request, written by a thread of its own."""

import json
import threading
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache
from typing import TextIO

SECONDS_BETWEEN_WRITES = 0.2

MOST_WAITING = 20_000
"""Requests that wait for a slow reader; older ones are dropped, so that memory is bounded."""

LONGEST = 2000
"""The most bytes of a path or a query that are kept: a request's head may have 32 KiB."""

DESCRIPTIONS_REMEMBERED = 1000


Access = tuple[float, float, str, bytes, "Described"]
"""A request and its answer, in the plainest form, because making another takes longer.

When it ended, in seconds since 1970; how many seconds it took; where the answer came from; the
request's id, in which JSON escapes nothing; and what others may have in common with it.
"""

Described = tuple[str, bytes, bytes, str, int, int]
"""Method, path, query, the client's address, the answer's status and its body's bytes."""


class AccessLog:
    """Collects requests, and writes them a few times a second: none waits for a reader."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._waiting: deque[Access] = deque(maxlen=MOST_WAITING)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def note(self, access: Access) -> None:
        """Add a line for it."""
        self._waiting.append(access)

    def close(self) -> None:
        """Write what there is, and end."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_WRITES):
            self._write()
        self._write()

    def _write(self) -> None:
        lines = [_line(self._waiting.popleft()) for _ in range(len(self._waiting))]
        if lines:
            self._file.write("".join(lines))
            self._file.flush()


def _line(access: Access) -> str:
    ended, seconds, outcome, request_id, described = access
    return (
        f'{{"time":"{_written(ended)}","level":"info","logger":"api.access",'
        f'"request_id":"{request_id.decode()}",{_fields(described)},'
        f'"milliseconds":{seconds * 1000:.3f},"answer":"{outcome}"}}\n'
    )


@lru_cache(DESCRIPTIONS_REMEMBERED)
def _fields(described: Described) -> str:
    """What is described, as the fields of a line."""
    method, path, query, client, status, length = described
    fields = {
        "method": method,
        "path": path.decode("latin-1"),
        "query": query.decode("latin-1"),
        "client": client,
        "status": status,
        "bytes": length,
    }
    return json.dumps(fields, separators=(",", ":"))[1:-1]


def _written(moment: float) -> str:
    second, fraction = divmod(moment, 1)
    return f"{_second(int(second))}.{int(fraction * 1000):03d}Z"


@lru_cache(2)
def _second(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")
