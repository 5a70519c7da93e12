"""Raw responses in the format that ingest stores."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.pipeline import Pipeline
from weather.window import HOUR, Window


@dataclass(frozen=True)
class RawResponse:
    """A response of the service for one location."""

    location: str
    fetched_at: datetime
    variables: Mapping[str, Sequence[Any] | None]
    """Values by the service's variable name, one for each hour from `first_hour`."""
    first_hour: datetime
    timezone: str = "UTC"

    def line(self) -> str:
        """Return the response as a line of a raw object."""
        hours = max(len(values or ()) for values in self.variables.values())
        time = [f"{self.first_hour + i * HOUR:%Y-%m-%dT%H:%M}" for i in range(hours)]
        content = {
            "location": {"id": self.location, "timezone": self.timezone},
            "fetched_at": self.fetched_at.isoformat(),
            "accepted": True,
            "reason": None,
            "answer": {"hourly": {"time": time, **self.variables}},
        }
        return json.dumps(content)


def store(pipeline: Pipeline, window: Window, responses: Iterable[RawResponse]) -> None:
    """Store the responses of a window. Set the steps' window to the same window."""
    body = "\n".join(response.line() for response in responses).encode()
    pipeline.store.put(f"raw/{window.key}/shard-000-of-001/call-0000.json", body)
    pipeline.take(window)


def same(value: float | None, hours: int) -> list[float | None]:
    """Repeat a value for that many hours."""
    return [value] * hours
