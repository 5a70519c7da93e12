"""The loop over a job's calls: ask, keep, judge, keep with the verdicts."""

import logging
import time
from collections import Counter
from dataclasses import dataclass, field

from ingest.allowance import excess_of
from ingest.answers import problem_of
from ingest.fetch import Clock, Fetch, now_in_utc
from ingest.job import Job
from ingest.open_meteo import UNITS, OpenMeteo, address_of
from ingest.pacing import seconds_to_next_call
from ingest.patience import DEFAULT_PATIENCE, Patience, jittered
from ingest.raw import NOT_JUDGED, Keys, Receipt, lines_of
from weather.exit_codes import ExitCode, StepError
from weather.settings import SourceSettings
from weather.store import Store

log = logging.getLogger("ingest")

NAMED_REJECTIONS = 3
"""How many rejected locations the last line names; the rest it counts."""


@dataclass
class Tally:
    """What a run has done so far."""

    accepted: int = 0
    rejected: list[str] = field(default_factory=list)
    """`<location id>: <reason>`."""
    calls: int = 0
    retries: Counter[str] = field(default_factory=Counter)
    hours_accepted: int = 0
    """Of each location on its own."""
    hours_rejected: int = 0
    received: int = 0
    """Bytes of all bodies."""


def ingest(
    job: Job,
    source: SourceSettings,
    store: Store,
    tally: Tally,
    *,
    patience: Patience = DEFAULT_PATIENCE,
    clock: Clock = now_in_utc,
) -> None:
    """Take a job's hours and store every answer, with its verdict.

    Raises:
        StepError: SETTING, before the first call, for a window that has not happened yet or a
            run that is too much for the free service; REJECTED after all calls if some answer
            failed the checks; at once, with the calls before stored, REFUSED, WAIT_NEXT_HOUR or
            WAIT_NEXT_DAY as the service says, UNAVAILABLE after too many tries.
    """
    if job.window.last_hour > clock():
        raise StepError(
            f"The window ends with {job.window.last_hour:%Y-%m-%dT%H:%MZ}, an hour that has not "
            "happened yet. Set WEATHER_WINDOW_END to an earlier hour.",
            ExitCode.SETTING,
        )
    if excess := excess_of(job, source, clock()):
        raise StepError(excess, ExitCode.SETTING)
    keys = Keys.of_try(job, clock())
    calls = list(job.calls)
    next_start = 0.0
    with OpenMeteo(source, patience) as service:
        for call in calls:
            time.sleep(max(0.0, next_start - time.monotonic()))
            start = time.monotonic()
            address = address_of(call, source, clock())
            fetch = Fetch(
                f"Call {call.number + 1} of {len(calls)}",
                keys,
                call,
                address,
                service,
                store,
                clock,
            )
            try:
                receipt = fetch.with_retries(patience)
            finally:
                tally.retries += fetch.retries
                tally.received = service.received
            rejected = _keep(keys, receipt, store)
            tally.calls += 1
            tally.rejected += rejected
            tally.accepted += len(call.locations) - len(rejected)
            tally.hours_accepted += call.window.hours * (len(call.locations) - len(rejected))
            tally.hours_rejected += call.window.hours * len(rejected)
            log.info(
                "%s: %d hours from %s, %d locations (%d rejected), in %.1f s, %s, from %s",
                fetch.name,
                call.window.hours,
                f"{call.window.start:%Y-%m-%dT%H:%MZ}",
                len(call.locations),
                len(rejected),
                time.monotonic() - start,
                fetch.tries_in_words,
                address,
            )
            pause = seconds_to_next_call(
                len(call.locations),
                call.window.hours,
                len(UNITS),
                address,
                has_key=source.open_meteo_api_key is not None,
            )
            next_start = start + jittered(pause)
    if tally.rejected:
        raise _rejection(keys, store, tally)


def _keep(keys: Keys, receipt: Receipt, store: Store) -> list[str]:
    """Store answers before they are judged, then with their verdicts; name the rejected ones."""
    call = receipt.call
    unjudged = [NOT_JUDGED for _ in call.locations]
    store.put(keys.raw(call), b"".join(lines_of(receipt, unjudged)))
    problems = [problem_of(answer, call.window) for answer in receipt.answers]
    lines = lines_of(receipt, problems)
    rejected = []
    for location, problem, line in zip(call.locations, problems, lines, strict=True):
        if problem is not None:
            store.put(keys.rejected(call, location.id), line)
            rejected.append(f"{location.id}: {problem}")
    store.put(keys.raw(call), b"".join(lines))
    return rejected


def _rejection(keys: Keys, store: Store, tally: Tally) -> StepError:
    rejected = tally.rejected
    named = "; ".join(rejected[:NAMED_REJECTIONS])
    more = len(rejected) - NAMED_REJECTIONS
    return StepError(
        f"The checks of form failed {len(rejected)} of {len(rejected) + tally.accepted} answers: "
        f"{named}{f'; and {more} more' if more > 0 else ''}. The {tally.accepted} others are "
        f"stored. See s3://{store.bucket}/rejected/{keys.folder}/, and take the hours again "
        "later.",
        ExitCode.REJECTED,
    )
