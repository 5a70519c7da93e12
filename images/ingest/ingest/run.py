"""The loop over a job's calls: ask, keep, judge, keep with the verdicts."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tenacity import RetryCallState

from ingest.answers import problem_of
from ingest.job import Call, Job
from ingest.open_meteo import UNITS, OpenMeteo, address_of
from ingest.pacing import seconds_to_next_call
from ingest.patience import Patience, jittered
from ingest.raw import (
    NOT_JUDGED,
    Receipt,
    attempt_key,
    attempt_line,
    folder_of,
    lines_of,
    raw_key,
    rejected_key,
)
from ingest.replies import ENDINGS, Unusable
from weather.exit_codes import ExitCode, StepError
from weather.settings import SourceSettings
from weather.store import Store

log = logging.getLogger("ingest")

NAMED_REJECTIONS = 3
"""How many rejected locations the last line names; the rest it counts."""

Clock = Callable[[], datetime]


def now_in_utc() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


@dataclass
class Tally:
    """What a run has done so far."""

    accepted: int = 0
    rejected: list[str] = field(default_factory=list)
    """`<location id>: <reason>`."""
    calls: int = 0
    retries: Counter[str] = field(default_factory=Counter)
    received: int = 0
    """Bytes of all bodies."""


def ingest(
    job: Job,
    source: SourceSettings,
    store: Store,
    tally: Tally,
    patience: Patience | None = None,
    clock: Clock = now_in_utc,
) -> None:
    """Take a job's hours and store every answer, with its verdict.

    Raises:
        StepError: SETTING for a window that has not happened yet; REJECTED after all calls if
            some answer failed the checks; at once, with the calls before stored, REFUSED,
            WAIT_NEXT_HOUR or WAIT_NEXT_DAY as the service says, UNAVAILABLE after too many tries.
    """
    if job.window.last_hour > clock():
        raise StepError(
            f"The window ends with {job.window.last_hour:%Y-%m-%dT%H:%MZ}, an hour that has not "
            "happened yet. Set WEATHER_WINDOW_END to an earlier hour.",
            ExitCode.SETTING,
        )
    patience = patience or Patience()
    calls = list(job.calls)
    next_start = 0.0
    with OpenMeteo(source, patience) as service:
        for call in calls:
            time.sleep(max(0.0, next_start - time.monotonic()))
            start = time.monotonic()
            address = address_of(call, source, clock())
            name = f"Call {call.number + 1} of {len(calls)}"
            fetch = _Fetch(name, job, call, address, service, store, tally, clock)
            try:
                receipt = fetch.with_retries(patience)
            finally:
                tally.received = service.received
            rejected = _keep(job, receipt, store)
            tally.calls += 1
            tally.rejected += rejected
            tally.accepted += len(call.locations) - len(rejected)
            log.info(
                "%s: %d hours from %s, %d locations, %d rejected, %.1f s, %d tries, %s",
                name,
                call.window.hours,
                f"{call.window.start:%Y-%m-%dT%H:%MZ}",
                len(call.locations),
                len(rejected),
                time.monotonic() - start,
                fetch.tries,
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
        raise _rejection(job, store, tally.rejected)


def _keep(job: Job, receipt: Receipt, store: Store) -> list[str]:
    """Store answers before they are judged, then with their verdicts; name the rejected ones."""
    call = receipt.call
    unjudged = [NOT_JUDGED for _ in call.locations]
    store.put(raw_key(job, call), b"".join(lines_of(receipt, unjudged)))
    problems = [problem_of(answer, call.window) for answer in receipt.answers]
    lines = lines_of(receipt, problems)
    rejected = []
    for location, problem, line in zip(call.locations, problems, lines, strict=True):
        if problem is not None:
            store.put(rejected_key(job, call, location.id), line)
            rejected.append(f"{location.id}: {problem}")
    store.put(raw_key(job, call), b"".join(lines))
    return rejected


@dataclass
class _Fetch:
    """One call with all its tries; what each failed try received is stored."""

    name: str
    job: Job
    call: Call
    address: str
    service: OpenMeteo
    store: Store
    tally: Tally
    clock: Clock
    tries: int = 0

    def with_retries(self, patience: Patience) -> Receipt:
        start = time.monotonic()
        try:
            answers: Sequence[object] = patience.retrying(self._note)(self._try)
        except Unusable as error:
            raise self._failure(error, time.monotonic() - start) from None
        return Receipt(self.call, self.address, self.clock(), answers)

    def _try(self) -> Sequence[object]:
        self.tries += 1
        try:
            return self.service.ask(self.call, self.address)
        except Unusable as error:
            if error.body:
                self.store.put(
                    attempt_key(self.job, self.call, self.tries),
                    attempt_line(self.call, self.address, self.clock(), error),
                )
            raise

    def _note(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0.0
        if isinstance(error, Unusable):
            self.tally.retries[error.trouble] += 1
            log.warning(
                "%s: try %d failed (%s); again in %.1f s", self.name, self.tries, error, wait
            )

    def _failure(self, error: Unusable, seconds: float) -> StepError:
        what = f"{self.name} ({len(self.call.locations)} locations, {self.address})"
        kept = f"The {self.call.number} calls before it are stored."
        if error.passes:
            tries = "1 try" if self.tries == 1 else f"{self.tries} tries"
            return StepError(
                f"{what} was given up after {tries} in {seconds:.0f} s, the last one: "
                f"{error.reason}. {kept} See that the service can be reached, then run the task "
                "again.",
                ExitCode.UNAVAILABLE,
            )
        advice = {
            ExitCode.REFUSED: "Correct OPEN_METEO_URL, OPEN_METEO_API_KEY or the locations, "
            "then run the task again.",
            ExitCode.WAIT_NEXT_HOUR: "Run the task again in the next hour.",
            ExitCode.WAIT_NEXT_DAY: "Run the task again tomorrow (UTC).",
        }[ENDINGS[error.trouble]]
        return StepError(
            f"{what} was refused: {error.reason}. {kept} {advice}", ENDINGS[error.trouble]
        )


def _rejection(job: Job, store: Store, rejected: list[str]) -> StepError:
    named = "; ".join(rejected[:NAMED_REJECTIONS])
    more = len(rejected) - NAMED_REJECTIONS
    return StepError(
        f"{len(rejected)} answers failed the checks: {named}"
        f"{f'; and {more} more' if more > 0 else ''}. All others are stored. See the rejected ones "
        f"under s3://{store.bucket}/rejected/{folder_of(job)}/, and take the hours again later.",
        ExitCode.REJECTED,
    )
