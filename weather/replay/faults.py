"""The faults that the replay can have, and the rules that say when."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from weather.replay.damages import DAMAGES

HEALTHY = "healthy"
"""No fault, for rules that let some requests pass before one."""

HANG = "hang"
RESET = "reset"
CUT_JSON = "cut_json"
STREAMING_ERROR = "streaming_error"

JSON = "application/json; charset=utf-8"
HTML = "text/html"


@dataclass(frozen=True)
class Failure:
    """An answer that takes the place of the weather."""

    status: HTTPStatus
    media_type: str
    body: str


def _error(status: HTTPStatus, reason: str) -> Failure:
    return Failure(status, JSON, f'{{"error":true,"reason":"{reason}"}}')


def _page(status: HTTPStatus, title: str) -> Failure:
    return Failure(
        status,
        HTML,
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
    )


FAILURES = {
    "minutely_limit": _error(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Minutely API request limit exceeded. Please try again in one minute.",
    ),
    "hourly_limit": _error(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Hourly API request limit exceeded. Please try again in the next hour.",
    ),
    "daily_limit": _error(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Daily API request limit exceeded. Please try again tomorrow.",
    ),
    "too_many_concurrent": _error(HTTPStatus.TOO_MANY_REQUESTS, "Too many concurrent requests"),
    "unauthorized": _error(HTTPStatus.UNAUTHORIZED, "The supplied API key is invalid."),
    "forbidden": _error(
        HTTPStatus.FORBIDDEN, "API access is not included in your current subscription."
    ),
    "server_error": _error(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong."),
    "unavailable": _error(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable"),
    "bad_gateway": _page(HTTPStatus.BAD_GATEWAY, "502 Bad Gateway"),
    "gateway_timeout": _page(HTTPStatus.GATEWAY_TIMEOUT, "504 Gateway Time-out"),
    "html_ok": _page(HTTPStatus.OK, "Open-Meteo is being maintained"),
}

NAMES = (HEALTHY, *FAILURES, CUT_JSON, STREAMING_ERROR, *DAMAGES, HANG, RESET)

_RULE = re.compile(r"(?P<name>\w+)(@(?P<location>\d+))?(\*(?P<requests>\d+))?")


@dataclass(frozen=True)
class Rule:
    """A fault, and which requests and locations have it."""

    name: str
    location: int | None = None
    """Which location of an answer, from 0; None for all of it."""
    requests: int | None = None
    """How many requests; None for every one from then on."""

    def concerns(self, location: int) -> bool:
        """Whether that location of an answer has the fault."""
        return self.location in (None, location)


def parse_faults(text: str) -> list[Rule]:
    """Read rules like `minutely_limit*2,text_value@1` (the forms: see the package's docstring).

    Raises:
        ValueError: there is no such fault, or a rule has another form; one line that says which.
    """
    rules = [_parse_rule(part.strip()) for part in text.split(",") if part.strip()]
    for rule in rules[:-1]:
        if rule.requests is None:
            raise ValueError(f"no request gets past '{rule.name}': say how many with '*N'")
    return rules


def _parse_rule(text: str) -> Rule:
    match = _RULE.fullmatch(text)
    if match is None or match["name"] not in NAMES:
        raise ValueError(
            f"'{text}' is no fault. A fault is a name, with @K for only the location K and *N for "
            f"only N requests after it. The names: {', '.join(NAMES)}."
        )
    if match["location"] is not None and match["name"] not in DAMAGES:
        raise ValueError(
            f"'{match['name']}' concerns whole answers: only these take a location with '@': "
            f"{', '.join(DAMAGES)}."
        )
    location, requests = (
        None if match[part] is None else int(match[part]) for part in ("location", "requests")
    )
    return Rule(match["name"], location, requests)


class FaultPlan:
    """Rules that are used up, request by request."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = list(rules)
        self._requests_of_first = 0

    def next(self) -> Rule:
        """The rule for the next request."""
        while self._rules:
            rule = self._rules[0]
            if rule.requests is None or self._requests_of_first < rule.requests:
                self._requests_of_first += 1
                return rule
            self._rules.pop(0)
            self._requests_of_first = 0
        return Rule(HEALTHY)


def broken_off(text: str, fault: str) -> str:
    """A JSON text that ends half-way, with the service's own sentence where the fault says so."""
    half = text[: len(text) // 2]
    if fault == STREAMING_ERROR:
        return f"{half}Unexpected error while streaming data: timeoutReached"
    return half
