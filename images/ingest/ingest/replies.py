"""What a reply of the service is: readable answers, or a trouble that passes or does not."""

import json
import math
import re
from enum import StrEnum

from weather.exit_codes import ExitCode

STREAMING_ERROR = b"Unexpected error while streaming data"
"""What the service appends to a body whose status, 200, is already sent."""


class Trouble(StrEnum):
    """The kinds of failed tries, as they are counted in the summary."""

    CONNECTION = "connection error"
    TIMEOUT = "timeout"
    SERVER_ERROR = "server error"
    HTML = "HTML body"
    STREAMING_ERROR = "error while streaming"
    BROKEN_JSON = "broken JSON"
    WRONG_COUNT = "wrong number of answers"
    TOO_MANY_REQUESTS = "too many requests"
    MINUTELY_LIMIT = "minutely limit"
    HOURLY_LIMIT = "hourly limit"
    DAILY_LIMIT = "daily limit"
    REFUSED = "refused"


ENDINGS = {
    Trouble.HOURLY_LIMIT: ExitCode.WAIT_NEXT_HOUR,
    Trouble.DAILY_LIMIT: ExitCode.WAIT_NEXT_DAY,
    Trouble.REFUSED: ExitCode.REFUSED,
}
"""Troubles that another try cannot mend; all others pass, or end as UNAVAILABLE."""


class Unusable(Exception):
    """A try that brought no readable answers, with all that was received."""

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
    """The answers of a reply, one for each location in the order asked, as JSON values.

    A number that JSON cannot hold (NaN, Infinity, 1e999) is read as text: it stays where it was
    received, and the raw file stays readable.

    Args:
        status: the HTTP status.
        body: the whole body.
        expected: how many locations were asked for.

    Raises:
        Unusable: the reply holds no such answers.
    """
    if status != 200:
        words = _words(body).removeprefix(str(status)).lstrip()
        raise Unusable(_trouble_of(status, body), f"{status}: {words}", status, body)
    if STREAMING_ERROR in body:
        reason = _shortened(body[body.rindex(STREAMING_ERROR) :])
        raise Unusable(Trouble.STREAMING_ERROR, reason, status, body)
    try:
        content = json.loads(body, parse_constant=str, parse_float=_finite_or_text)
    except (ValueError, RecursionError) as error:
        if body.lstrip().startswith(b"<"):
            reason = f"an HTML page instead of JSON: {_words(body)}"
            raise Unusable(Trouble.HTML, reason, status, body) from None
        reason = f"broken or cut JSON of {len(body)} bytes: {error}"
        raise Unusable(Trouble.BROKEN_JSON, reason, status, body) from None
    if isinstance(content, dict) and content.get("error"):
        reason = f"an error with status 200: {_words(body)}"
        raise Unusable(Trouble.SERVER_ERROR, reason, status, body)
    answers: list[object] = content if isinstance(content, list) else [content]
    if len(answers) != expected:
        reason = f"{len(answers)} answers for {expected} locations"
        raise Unusable(Trouble.WRONG_COUNT, reason, status, body)
    return answers


def _finite_or_text(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _trouble_of(status: int, body: bytes) -> Trouble:
    if status == 429:
        words = _words(body).lower()
        for word, trouble in (
            ("hourly", Trouble.HOURLY_LIMIT),
            ("daily", Trouble.DAILY_LIMIT),
            ("minutely", Trouble.MINUTELY_LIMIT),
        ):
            if word in words:
                return trouble
        return Trouble.TOO_MANY_REQUESTS
    if 300 <= status < 500:
        return Trouble.REFUSED
    return Trouble.SERVER_ERROR


def _words(body: bytes) -> str:
    """The reason that a body gives: its own, a page's title, or how it begins."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        title = re.search(rb"<title>(.*?)</title>", body, re.DOTALL | re.IGNORECASE)
        return _shortened(title[1] if title else body) or "an empty body"
    if isinstance(content, dict) and isinstance(content.get("reason"), str):
        reason: str = content["reason"]
        return reason.rstrip(". ")
    return _shortened(body)


def _shortened(text: bytes) -> str:
    return " ".join(text[:200].decode(errors="replace").split()).rstrip(". ")
