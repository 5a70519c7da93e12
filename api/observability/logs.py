"""Logs as lines of JSON: events on standard error, the access log on standard output."""

import json
import logging
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache
from typing import TextIO

WRITE_INTERVAL_SECONDS = 0.2

MAX_WAITING = 20_000
"""Limit of the queued requests. The oldest requests are dropped to bound memory."""

MAX_URL_BYTES = 2000
"""Limit of the logged bytes of a path or a query; a request's head may have 32 KiB."""

_CACHED_DETAILS = 1000

Access = tuple[float, float, str, bytes, "Details"]
"""End of the request in seconds since 1970, duration in seconds, `ready` or `made`, id, details.

A plain tuple, because an object takes longer. JSON escapes nothing in the id.
"""

Details = tuple[str, bytes, bytes, str, int, int]
"""Method, path, query, the client's address, the response's status and its body's bytes."""


class JsonFormatter(logging.Formatter):
    """Formats a log record as one line of JSON, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a log record as one line of JSON."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := getattr(record, "request_id", None):
            fields["request_id"] = request_id
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def configure_logging() -> None:
    """Write all logs of the process as JSON, warnings of libraries included."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)


class AccessLog:
    """Collects requests, and writes them in a thread, so that no request waits for a reader."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._waiting: deque[Access] = deque(maxlen=MAX_WAITING)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def add(self, access: Access) -> None:
        """Queue a request for the writing thread."""
        self._waiting.append(access)

    def close(self) -> None:
        """Write the queued requests, and stop the thread."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(WRITE_INTERVAL_SECONDS):
            self._write()
        self._write()

    def _write(self) -> None:
        lines = [_line(self._waiting.popleft()) for _ in range(len(self._waiting))]
        if lines:
            self._file.write("".join(lines))
            self._file.flush()


def _line(access: Access) -> str:
    ended, seconds, outcome, request_id, details = access
    return (
        f'{{"time":"{_timestamp(ended)}","level":"info","logger":"api.access",'
        f'"request_id":"{request_id.decode()}",{_fields(details)},'
        f'"milliseconds":{seconds * 1000:.3f},"answer":"{outcome}"}}\n'  # words: keep, a field
    )


@lru_cache(_CACHED_DETAILS)
def _fields(details: Details) -> str:
    method, path, query, client, status, length = details
    fields = {
        "method": method,
        "path": path.decode("latin-1"),
        "query": query.decode("latin-1"),
        "client": client,
        "status": status,
        "bytes": length,
    }
    return json.dumps(fields, separators=(",", ":"))[1:-1]


def _timestamp(moment: float) -> str:
    second, fraction = divmod(moment, 1)
    return f"{_second(int(second))}.{int(fraction * 1000):03d}Z"


@lru_cache(2)
def _second(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")
