"""Keys and bodies of what ingest stores."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Any

from weather.ingest.job import Call, Job
from weather.ingest.open_meteo import form_of
from weather.ingest.replies import Unusable

NOT_JUDGED = "not judged yet"
"""The reason that an answer carries from its receipt to its checks."""


@dataclass(frozen=True)
class Receipt:
    """The answers of one call as they came, one for each of its locations in their order."""

    call: Call
    host: str
    fetched_at: datetime
    answers: Sequence[object]


@dataclass(frozen=True)
class Keys:
    """Keys of what one try of a job stores; no other try or process uses the same ones."""

    job: Job
    try_name: str

    @classmethod
    def of_try(cls, job: Job, started_at: datetime) -> "Keys":
        """Make the keys of a try that starts at that moment (UTC)."""
        # Two processes may start at the same moment, so the moment alone is not unique.
        return cls(job, f"{started_at:%Y%m%dT%H%M%SZ}-{token_hex(4)}")

    @property
    def folder(self) -> str:
        """`<window>/<moment>`, below `raw/` and below `rejected/`."""
        return f"{self.job.window.key}/{self.try_name}"

    def raw(self, call: Call) -> str:
        """The key of all responses of a call."""
        return f"raw/{self._stem(call)}.json"

    def rejected(self, call: Call, location_id: str) -> str:
        """The key of the copy of a location's rejected response."""
        return f"rejected/{self._stem(call)}-{location_id}.json"

    def attempt(self, call: Call, attempt: int) -> str:
        """The key of a body without readable responses; attempts count from 1."""
        # With a dot, because "attempt-1" may be the id of a location.
        return f"rejected/{self._stem(call)}.attempt-{attempt}.json"

    def _stem(self, call: Call) -> str:
        shard = f"shard-{self.job.shard:03d}-of-{self.job.shards:03d}"
        part = f".{call.part}" if call.part else ""
        return f"{self.folder}/{shard}-call-{call.number:04d}{part}"


def lines_of(receipt: Receipt, reasons: Sequence[str | None]) -> list[bytes]:
    """A line of JSON for each location; an answer is accepted that has no reason against it."""
    request = form_of(receipt.call)
    return [
        _line(
            {
                "location": location.model_dump(),
                "request": request,
                "host": receipt.host,
                "fetched_at": _written(receipt.fetched_at),
                "accepted": reason is None,
                "reason": reason,
                "answer": answer,
            }
        )
        for location, answer, reason in zip(
            receipt.call.locations, receipt.answers, reasons, strict=True
        )
    ]


def attempt_line(call: Call, host: str, fetched_at: datetime, error: Unusable) -> bytes:
    """A line of JSON with everything that a failed try has received."""
    return _line(
        {
            "fetched_at": _written(fetched_at),
            "host": host,
            "request": form_of(call),
            "locations": [location.id for location in call.locations],
            "status": error.status,
            "reason": error.reason,
            "body": error.body.decode(errors="replace"),
        }
    )


def _line(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A half of a surrogate pair is valid in JSON's escapes and in no encoding.
    return text.encode(errors="replace") + b"\n"


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
