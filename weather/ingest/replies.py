"""Read a response's body, or say what kind of failure the response is."""

import json
import math
import re
from enum import StrEnum
from json import JSONDecodeError

from weather.errors import ExitCode

STREAMING_ERROR = b"Unexpected error while streaming data"
"""What the service appends to a body whose status, 200, is already sent."""


class Trouble(StrEnum):
    """The kinds of failed tries, as the summary counts them."""

    CONNECTION = "connection error"
    TIMEOUT = "timeout"
    SERVER_ERROR = "server error"
    GATEWAY = "gateway error"
    """A refusal that is not in the service's own form, or a 408 or 425."""
    HTML = "HTML body"
    STREAMING_ERROR = "error while streaming"
    BROKEN_JSON = "broken JSON"
    """JSON that ends too early."""
    UNREADABLE = "unreadable body"
    """A whole body that is not JSON."""
    WRONG_COUNT = "wrong number of answers"
    TOO_MANY_REQUESTS = "too many requests"
    MINUTELY_LIMIT = "minutely limit"
    HOURLY_LIMIT = "hourly limit"
    DAILY_LIMIT = "daily limit"
    BAD_REQUEST = "bad request"
    REFUSED = "refused"


ENDINGS = {
    Trouble.HOURLY_LIMIT: ExitCode.WAIT_NEXT_HOUR,
    Trouble.DAILY_LIMIT: ExitCode.WAIT_NEXT_DAY,
    Trouble.BAD_REQUEST: ExitCode.REFUSED,
    Trouble.REFUSED: ExitCode.REFUSED,
}
"""Troubles that the same request would meet again; all others are transient."""

REPEATABLE = {Trouble.UNREADABLE, Trouble.WRONG_COUNT, Trouble.BAD_REQUEST}
"""Troubles of a service in good health, so that one of the locations is the likely cause."""

_MAYBE_REPEATABLE = {Trouble.BROKEN_JSON, Trouble.STREAMING_ERROR}


class Unusable(Exception):
    """A try without readable responses, with all that was received."""

    def __init__(
        self, trouble: Trouble, reason: str, status: int | None = None, body: bytes = b""
    ) -> None:
        super().__init__(reason)
        self.trouble = trouble
        self.reason = reason
        self.status = status
        self.body = body

    @property
    def passes(self) -> bool:
        """Whether another try may succeed."""
        return self.trouble not in ENDINGS

    @property
    def may_be_of_a_location(self) -> bool:
        """Return whether fewer locations may succeed; never so if the service is unhealthy."""
        if self.trouble is Trouble.SERVER_ERROR:
            return self.status in (200, 500) and _own_reason(self.body) is not None
        return self.trouble in REPEATABLE or self.trouble in _MAYBE_REPEATABLE

    def without(self, secret: str | None) -> "Unusable":
        """The same with the secret blotted out, should the server have echoed it."""
        if not secret:
            return self
        return Unusable(
            self.trouble,
            self.reason.replace(secret, "***"),
            self.status,
            self.body.replace(secret.encode(), b"***"),
        )


def read_reply(status: int, body: bytes, expected: int) -> list[object]:
    """Return a body's responses, one for each location in the order asked, as JSON values.

    Values that JSON does not know (nan, -inf, 1e999, None) are read as text, so that one in an
    unused field does no harm and the validation finds one in a used field.

    Args:
        status: the HTTP status.
        body: the whole body.
        expected: how many locations were asked for.

    Raises:
        Unusable: the body holds no such responses.
    """
    if status != 200:
        words = _words(body).removeprefix(str(status)).lstrip()
        raise Unusable(_trouble_of(status, body), f"{status}: {words}", status, body)
    if STREAMING_ERROR in body:
        reason = _shortened(body[body.rindex(STREAMING_ERROR) :])
        raise Unusable(Trouble.STREAMING_ERROR, reason, status, body)
    if body.lstrip().startswith(b"<"):
        reason = f"an HTML page instead of JSON: {_words(body)}"
        raise Unusable(Trouble.HTML, reason, status, body)
    try:
        content = _parsed(body)
    except (ValueError, RecursionError) as error:
        trouble = Trouble.BROKEN_JSON if _is_cut(error) else Trouble.UNREADABLE
        reason = f"broken or cut JSON of {len(body)} bytes: {_place_of(error)}"
        raise Unusable(trouble, reason, status, body) from None
    if not isinstance(content, dict | list):
        reason = f"neither a JSON object nor an array: {_shortened(body)}"
        raise Unusable(Trouble.UNREADABLE, reason, status, body)
    if isinstance(content, dict) and content.get("error"):
        reason = f"an error with status 200: {_words(body)}"
        raise Unusable(Trouble.SERVER_ERROR, reason, status, body)
    answers: list[object] = content if isinstance(content, list) else [content]
    if len(answers) != expected:
        reason = f"{len(answers)} answers for {expected} locations"
        raise Unusable(Trouble.WRONG_COUNT, reason, status, body)
    return answers


def _parsed(body: bytes) -> object:
    # A byte that is not UTF-8 may stand in an unused field. In a used one, U+FFFD is found.
    text = body.decode(json.detect_encoding(body), errors="replace")
    try:
        return _loaded(text)
    except JSONDecodeError:
        return _loaded(_TOKEN.sub(_as_json, text))


def _loaded(text: str) -> object:
    return json.loads(
        text,
        parse_constant=str,
        parse_float=_finite_or_text,
        parse_int=_int_or_text,
        strict=False,  # control characters in a text
    )


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[^\s\[\]{},:"]+', re.DOTALL)
"""A text in quotes, cut or not, or whatever stands where JSON has a number or a word."""

_JSON_VALUE = re.compile(r'".*|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|true|false|null', re.DOTALL)


def _as_json(token: re.Match[str]) -> str:
    """The token as it is where JSON knows it, else as a text."""
    return token[0] if _JSON_VALUE.fullmatch(token[0]) else json.dumps(token[0])


def _finite_or_text(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _int_or_text(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:  # Python reads no more than 4,300 digits.
        return text


def _is_cut(error: ValueError | RecursionError) -> bool:
    if not isinstance(error, JSONDecodeError):
        return False
    return error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string")


def _place_of(error: ValueError | RecursionError) -> str:
    if not isinstance(error, JSONDecodeError):
        return " ".join(str(error).split())
    near = " ".join(error.doc[max(0, error.pos - 30) : error.pos + 10].split())
    return f"{error.msg} near '{near}'" if near else error.msg


def _trouble_of(status: int, body: bytes) -> Trouble:
    own_reason = _own_reason(body)
    if status == 429:
        words = (own_reason or "").lower()
        for word, trouble in (
            ("hourly", Trouble.HOURLY_LIMIT),
            ("daily", Trouble.DAILY_LIMIT),
            ("minutely", Trouble.MINUTELY_LIMIT),
        ):
            if word in words:
                return trouble
        return Trouble.TOO_MANY_REQUESTS
    if status in (408, 425) or (300 <= status < 500 and own_reason is None):
        return Trouble.GATEWAY
    if status == 400:
        return Trouble.BAD_REQUEST
    if 300 <= status < 500:
        return Trouble.REFUSED
    return Trouble.SERVER_ERROR


def _own_reason(body: bytes) -> str | None:
    """The reason in the service's own form, `{"error": true, "reason": "..."}`."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(content, dict) and content.get("error") is True:
        reason = content.get("reason")
        return reason.rstrip(". ") if isinstance(reason, str) else None
    return None


def _words(body: bytes) -> str:
    """The reason that a body gives: the service's own, a page's title, or how the body begins."""
    if reason := _own_reason(body):
        return reason
    title = re.search(rb"<title>(.*?)</title>", body, re.DOTALL | re.IGNORECASE)
    return _shortened(title[1] if title else body) or "an empty body"


def _shortened(text: bytes) -> str:
    return " ".join(text[:200].decode(errors="replace").split()).rstrip(". ")
