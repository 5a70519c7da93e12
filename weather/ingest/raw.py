"""Keys and lines of the objects that ingest stores below `raw/` and `rejected/`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Any

from weather.ingest.http_json import AttemptFailed
from weather.ingest.job import Call, Job

NOT_VALIDATED = "not validated yet"
"""The `reason` of a response that is stored before its validation."""


@dataclass(frozen=True)
class Fetched:
    """The responses of one call as received, in the order of the call's locations."""

    call: Call
    host: str
    fetched_at: datetime
    request: Mapping[str, str]
    """The request's fields without secrets."""
    responses: Sequence[object]


@dataclass(frozen=True)
class Keys:
    """Keys of the objects that one try of a job stores, unique to this try and process."""

    job: Job
    try_name: str

    @classmethod
    def of_try(cls, job: Job, started_at: datetime) -> "Keys":
        """Create the keys of a try that starts at `started_at` (UTC)."""
        # Two processes may start in the same second.
        return cls(job, f"{started_at:%Y%m%dT%H%M%SZ}-{token_hex(4)}")

    @property
    def folder(self) -> str:
        """`<window>/<time of the try>`, below `raw/` and `rejected/`."""
        return f"{self.job.window.key}/{self.try_name}"

    def raw(self, call: Call) -> str:
        """Return the key of all responses of a call."""
        return f"raw/{self._stem(call)}.json"

    def rejected(self, call: Call, location_id: str) -> str:
        """Return the key of a copy of a location's rejected response."""
        return f"rejected/{self._stem(call)}-{location_id}.json"

    def attempt(self, call: Call, attempt: int) -> str:
        """Return the key of a failed attempt's body. Attempts count from 1."""
        # A dot, because "attempt-1" may be the id of a location.
        return f"rejected/{self._stem(call)}.attempt-{attempt}.json"

    def _stem(self, call: Call) -> str:
        shard = f"shard-{self.job.shard:03d}-of-{self.job.shards:03d}"
        part = f".{call.part}" if call.part else ""
        return f"{self.folder}/{shard}-call-{call.number:04d}{part}"


def raw_lines(
    fetched: Fetched, reasons: Sequence[str | None], hours: Sequence[object] = ()
) -> list[bytes]:
    """Return a call's responses as one line of JSON for each location.

    Args:
        fetched: the responses of a call.
        reasons: why each response is rejected; None if it is accepted.
        hours: each response's hours in the common format; None if the response has that format.
    """
    return [
        _line(
            {
                "location": location.model_dump(exclude_defaults=True),
                "request": fetched.request,
                "host": fetched.host,
                "fetched_at": _isoformat(fetched.fetched_at),
                "accepted": reason is None,
                "reason": reason,
                "answer": response,
            }
            | ({} if converted is None else {"hours": converted})
        )
        for location, response, reason, converted in zip(
            fetched.call.locations,
            fetched.responses,
            reasons,
            hours or [None for _ in reasons],
            strict=True,
        )
    ]


def failed_attempt_line(
    call: Call, host: str, fetched_at: datetime, request: Mapping[str, str], error: AttemptFailed
) -> bytes:
    """Return everything that a failed attempt received as one line of JSON."""
    return _line(
        {
            "fetched_at": _isoformat(fetched_at),
            "host": host,
            "request": request,
            "locations": [location.id for location in call.locations],
            "status": error.status,
            "reason": error.reason,
            "body": error.body.decode(errors="replace"),
        }
    )


def _line(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # JSON escapes may hold half of a surrogate pair, which UTF-8 cannot encode.
    return text.encode(errors="replace") + b"\n"


def _isoformat(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
