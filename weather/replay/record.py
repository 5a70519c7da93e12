"""What the replay was asked, so that tests can see how polite its clients are."""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic
from typing import Any

REQUESTS_KEPT = 1000
"""Requests told one by one; older ones are only counted."""


class Record:
    """The requests for weather so far, answered, refused or failed."""

    def __init__(self) -> None:
        self._at_once = 0
        self.forget()

    def forget(self) -> None:
        """Start anew; requests under way still count as simultaneous."""
        self._requests = 0
        self._locations = 0
        self._most_at_once = self._at_once
        self._last_start: float | None = None
        self._kept: deque[dict[str, Any]] = deque(maxlen=REQUESTS_KEPT)

    @contextmanager
    def request(self, method: str, parameters: Mapping[str, str]) -> Iterator[None]:
        """Record a request for as long as it is under way."""
        start = monotonic()
        locations = len([each for each in parameters.get("latitude", "").split(",") if each])
        self._requests += 1
        self._locations += locations
        self._kept.append(
            {
                "at": datetime.now(UTC).isoformat(),
                "seconds_since_previous": (
                    None if self._last_start is None else round(start - self._last_start, 3)
                ),
                "method": method,
                "locations": locations,
                "parameters": _without_key(parameters),
            }
        )
        self._last_start = start
        self._at_once += 1
        self._most_at_once = max(self._most_at_once, self._at_once)
        try:
            yield
        finally:
            self._at_once -= 1

    def told(self) -> dict[str, Any]:
        """The record as JSON: counts since the start or the last `forget`, and each request."""
        return {
            "requests": self._requests,
            "locations": self._locations,
            "most_at_once": self._most_at_once,
            "each": list(self._kept),
        }


def _without_key(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: "(given)" if name == "apikey" else value for name, value in parameters.items()}
