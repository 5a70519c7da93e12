"""Send an HTTP request, and parse the JSON that it returns or classify the failure."""

import json
import math
import re
import time
from dataclasses import dataclass
from enum import StrEnum
from json import JSONDecodeError

import httpx

from weather.errors import ExitCode

STREAMING_ERROR = b"Unexpected error while streaming data"
"""Error text that Open-Meteo appends to a body if a failure follows the status 200."""


class FailureKind(StrEnum):
    """Kinds of failed attempts, by which the summary counts retries."""

    CONNECTION = "connection error"
    TIMEOUT = "timeout"
    SERVER_ERROR = "server error"
    GATEWAY = "gateway error"
    """A 3xx or 4xx that is not in the service's error format, or a 408 or 425."""
    HTML = "HTML body"
    STREAMING_ERROR = "error while streaming"
    BROKEN_JSON = "broken JSON"
    """Truncated JSON."""
    UNREADABLE = "unreadable body"
    """A complete body that is not JSON."""
    WRONG_COUNT = "wrong number of answers"  # words: keep, a value of a metric's label
    TOO_MANY_REQUESTS = "too many requests"
    MINUTELY_LIMIT = "minutely limit"
    HOURLY_LIMIT = "hourly limit"
    DAILY_LIMIT = "daily limit"
    BAD_REQUEST = "bad request"
    REFUSED = "refused"


EXIT_CODES = {
    FailureKind.HOURLY_LIMIT: ExitCode.WAIT_NEXT_HOUR,
    FailureKind.DAILY_LIMIT: ExitCode.WAIT_NEXT_DAY,
    FailureKind.BAD_REQUEST: ExitCode.REFUSED,
    FailureKind.REFUSED: ExitCode.REFUSED,
}
"""The step's exit code for each permanent failure. All other failures are transient."""

LIKELY_ONE_LOCATION = {FailureKind.UNREADABLE, FailureKind.WRONG_COUNT, FailureKind.BAD_REQUEST}
"""Failures whose likely cause is one location of the request, not the service."""

_POSSIBLY_ONE_LOCATION = {FailureKind.BROKEN_JSON, FailureKind.STREAMING_ERROR}


class AttemptFailed(Exception):
    """Failed attempt: the kind of failure, the reason, and the received status and body."""

    def __init__(
        self, kind: FailureKind, reason: str, status: int | None = None, body: bytes = b""
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.status = status
        self.body = body

    @property
    def is_transient(self) -> bool:
        """Return whether a retry may succeed."""
        return self.kind not in EXIT_CODES

    @property
    def is_worth_splitting(self) -> bool:
        """Return whether one location may be the cause, so that smaller requests may succeed."""
        if self.kind is FailureKind.SERVER_ERROR:
            return self.status in (200, 500) and _service_reason(self.body) is not None
        return self.kind in LIKELY_ONE_LOCATION or self.kind in _POSSIBLY_ONE_LOCATION

    def redacted(self, secret: str | None) -> "AttemptFailed":
        """Return the error without a secret, which the server may have echoed."""
        if not secret:
            return self
        return AttemptFailed(
            self.kind,
            self.reason.replace(secret, "***"),
            self.status,
            self.body.replace(secret.encode(), b"***"),
        )


@dataclass(frozen=True)
class Timeouts:
    """Timeouts of one request, in seconds."""

    connect: float = 10
    read: float = 60
    """Limit between two chunks of the body."""
    response: float = 300
    """Limit for the whole response, because a slow server could send bytes for ever."""


class HttpClient:
    """HTTP client for one request at a time."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._response_timeout = timeouts.response
        self._client = httpx.Client(
            headers={"User-Agent": "weather-pipeline"},
            timeout=httpx.Timeout(timeouts.read, connect=timeouts.connect),
        )
        self.bytes_received = 0
        """Bytes of all response bodies."""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(
        self, method: str, url: httpx.URL | str, form: dict[str, str] | None = None
    ) -> tuple[int, bytes, httpx.Headers]:
        """Send one request, without following redirects.

        Returns:
            Status, body and headers.

        Raises:
            AttemptFailed: the connection failed, or the response is incomplete.
        """
        status, body = None, bytearray()
        deadline = time.monotonic() + self._response_timeout
        try:
            with self._client.stream(method, url, data=form) as response:
                status = response.status_code
                for chunk in response.iter_bytes():
                    body += chunk
                    if time.monotonic() > deadline:
                        raise httpx.ReadTimeout(f"no end after {self._response_timeout:g} s")
        except httpx.TimeoutException as error:
            raise _interrupted(FailureKind.TIMEOUT, error, status, body) from None
        except httpx.RequestError as error:
            is_cut = STREAMING_ERROR in body
            kind = FailureKind.STREAMING_ERROR if is_cut else FailureKind.CONNECTION
            raise _interrupted(kind, error, status, body) from None
        finally:
            self.bytes_received += len(body)
        return status, bytes(body), response.headers


def _interrupted(
    kind: FailureKind, error: httpx.RequestError, status: int | None, body: bytearray
) -> AttemptFailed:
    reason = str(error).rstrip(".") or type(error).__name__
    return AttemptFailed(kind, f"{kind}: {reason}", status, bytes(body))


def parse_response(status: int, body: bytes, expected: int) -> list[object]:
    """Parse a body into the locations' responses, in the order of the request.

    Invalid JSON values (nan, -inf, 1e999, None) become strings. In an unused field they do no
    harm, and in a used field validation finds them.

    Args:
        status: the HTTP status.
        body: the whole body.
        expected: number of requested locations.

    Raises:
        AttemptFailed: the response is an error or not readable.
    """
    if status != 200:
        message = _message(body).removeprefix(str(status)).lstrip()
        raise AttemptFailed(_kind_of(status, body), f"{status}: {message}", status, body)
    if STREAMING_ERROR in body:
        reason = _excerpt(body[body.rindex(STREAMING_ERROR) :])
        raise AttemptFailed(FailureKind.STREAMING_ERROR, reason, status, body)
    if body.lstrip().startswith(b"<"):
        reason = f"an HTML page instead of JSON: {_message(body)}"
        raise AttemptFailed(FailureKind.HTML, reason, status, body)
    try:
        content = _parse_json(body)
    except (ValueError, RecursionError) as error:
        kind = FailureKind.BROKEN_JSON if _is_truncated(error) else FailureKind.UNREADABLE
        reason = f"invalid or truncated JSON of {len(body)} bytes: {_position(error)}"
        raise AttemptFailed(kind, reason, status, body) from None
    if not isinstance(content, dict | list):
        reason = f"neither a JSON object nor an array: {_excerpt(body)}"
        raise AttemptFailed(FailureKind.UNREADABLE, reason, status, body)
    if isinstance(content, dict) and content.get("error"):
        reason = f"an error with status 200: {_message(body)}"
        raise AttemptFailed(FailureKind.SERVER_ERROR, reason, status, body)
    responses: list[object] = content if isinstance(content, list) else [content]
    if len(responses) != expected:
        reason = f"{len(responses)} responses for {expected} locations"
        raise AttemptFailed(FailureKind.WRONG_COUNT, reason, status, body)
    return responses


def _parse_json(body: bytes) -> object:
    # Bytes that are not UTF-8 may be in an unused field; in a used field validation finds U+FFFD.
    text = body.decode(json.detect_encoding(body), errors="replace")
    try:
        return _load(text)
    except JSONDecodeError:
        return _load(_TOKEN.sub(_as_json, text))


def _load(text: str) -> object:
    return json.loads(
        text,
        parse_constant=str,
        parse_float=_finite_or_str,
        parse_int=_int_or_str,
        strict=False,  # allows control characters in strings
    )


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[^\s\[\]{},:"]+', re.DOTALL)
"""Pattern of a JSON string, even truncated, or of a number, a literal or invalid text."""

_JSON_VALUE = re.compile(r'".*|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|true|false|null', re.DOTALL)


def _as_json(token: re.Match[str]) -> str:
    """Return a valid token unchanged, and an invalid token as a JSON string."""
    return token[0] if _JSON_VALUE.fullmatch(token[0]) else json.dumps(token[0])


def _finite_or_str(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _int_or_str(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:  # Python parses at most 4,300 digits.
        return text


def _is_truncated(error: ValueError | RecursionError) -> bool:
    if not isinstance(error, JSONDecodeError):
        return False
    return error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string")


def _position(error: ValueError | RecursionError) -> str:
    if not isinstance(error, JSONDecodeError):
        return " ".join(str(error).split())
    near = " ".join(error.doc[max(0, error.pos - 30) : error.pos + 10].split())
    return f"{error.msg} near '{near}'" if near else error.msg


def _kind_of(status: int, body: bytes) -> FailureKind:
    own_reason = _service_reason(body)
    if status == 429:
        words = (own_reason or "").lower()
        for word, kind in (
            ("hourly", FailureKind.HOURLY_LIMIT),
            ("daily", FailureKind.DAILY_LIMIT),
            ("minutely", FailureKind.MINUTELY_LIMIT),
        ):
            if word in words:
                return kind
        return FailureKind.TOO_MANY_REQUESTS
    if status in (408, 425) or (300 <= status < 500 and own_reason is None):
        return FailureKind.GATEWAY
    if status == 400:
        return FailureKind.BAD_REQUEST
    if 300 <= status < 500:
        return FailureKind.REFUSED
    return FailureKind.SERVER_ERROR


def _service_reason(body: bytes) -> str | None:
    """Return the reason in the service's error format, `{"error": true, "reason": "..."}`."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(content, dict) and content.get("error") is True:
        reason = content.get("reason")
        return reason.rstrip(". ") if isinstance(reason, str) else None
    return None


def _message(body: bytes) -> str:
    """Return the service's reason, an HTML page's title, or the start of the body."""
    if reason := _service_reason(body):
        return reason
    title = re.search(rb"<title>(.*?)</title>", body, re.DOTALL | re.IGNORECASE)
    return _excerpt(title[1] if title else body) or "an empty body"


def _excerpt(text: bytes) -> str:
    return " ".join(text[:200].decode(errors="replace").split()).rstrip(". ")
