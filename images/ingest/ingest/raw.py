"""Keys and bodies of what ingest stores, all pure functions of what was asked and received."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest.job import Call, Job
from ingest.open_meteo import form_of
from ingest.replies import Unusable

NOT_JUDGED = "not judged yet"
"""The reason that an answer carries from its receipt to its checks."""


@dataclass(frozen=True)
class Receipt:
    """The answers of one call as they came, one for each of its locations in their order."""

    call: Call
    host: str
    fetched_at: datetime
    answers: Sequence[object]


def folder_of(job: Job) -> str:
    """The part that the keys of a job share, such as `<window>/shard-000-of-004`."""
    return f"{job.window.key}/shard-{job.shard:03d}-of-{job.shards:03d}"


def raw_key(job: Job, call: Call) -> str:
    """Where all the answers of a call are kept."""
    return f"raw/{folder_of(job)}/call-{call.number:04d}.json"


def rejected_key(job: Job, call: Call, location_id: str) -> str:
    """Where a location's answer that failed the checks is kept as well."""
    return f"rejected/{folder_of(job)}/call-{call.number:04d}-{location_id}.json"


def attempt_key(job: Job, call: Call, attempt: int) -> str:
    """Where a body that holds no readable answers is kept; attempts count from 1."""
    return f"rejected/{folder_of(job)}/call-{call.number:04d}-attempt-{attempt}.json"


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
