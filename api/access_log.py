"""The access log: one line of JSON for each request, written by a thread of its own."""

import json
import threading
import time
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache
from typing import TextIO

SECONDS_BETWEEN_WRITES = 0.2

MOST_WAITING = 100_000
"""Lines that wait for a slow reader; older ones are dropped, so that memory is bounded."""

CLIENTS_REMEMBERED = 1000


class AccessLog:
    """Collects lines, and writes them a few times a second: no request waits for a reader."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lines: deque[str] = deque(maxlen=MOST_WAITING)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def note(
        self,
        *,
        request_id: str,
        request: str,
        client: str,
        status: int,
        length: int,
        seconds: float,
        outcome: str,
    ) -> None:
        """Add a line.

        Args:
            request_id: it has no character that JSON escapes.
            request: method, path and query, as `described_request` gives them.
            client: its address.
            status: of the answer.
            length: of the answer's body, in bytes.
            seconds: from the request to the end of the answer.
            outcome: where the answer came from.
        """
        self._lines.append(
            f'{{"time":"{_written(time.time())}","level":"info","logger":"api.access",'
            f'"request_id":"{request_id}",{request},"client":{_quoted(client)},'
            f'"status":{status},"bytes":{length},"milliseconds":{seconds * 1000:.3f},'
            f'"answer":"{outcome}"}}\n'
        )

    def close(self) -> None:
        """Write what there is, and end."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_WRITES):
            self._write()
        self._write()

    def _write(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if lines:
            self._file.write("".join(lines))
            self._file.flush()


def described_request(method: str, path: bytes, query: bytes) -> str:
    """What was asked for, as the fields of a line."""
    return (
        f'"method":{_quoted(method)},"path":{_quoted(path.decode("latin-1"))},'
        f'"query":{_quoted(query.decode("latin-1"))}'
    )


@lru_cache(CLIENTS_REMEMBERED)
def _quoted(text: str) -> str:
    return json.dumps(text)


def _written(moment: float) -> str:
    second, fraction = divmod(moment, 1)
    return f"{_second(int(second))}.{int(fraction * 1000):03d}Z"


@lru_cache(2)
def _second(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")
