"""The loop over a job's calls: fetch, store, validate, store with the verdicts."""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from weather.errors import ExitCode, StepError
from weather.ingest.allowance import excess_of
from weather.ingest.answers import problem_of, problem_of_place
from weather.ingest.fetch import Clock, Fetch, now_in_utc
from weather.ingest.job import Call, Job
from weather.ingest.open_meteo import UNITS, OpenMeteo, address_of
from weather.ingest.pacing import seconds_to_next_call
from weather.ingest.patience import DEFAULT_PATIENCE, Patience, jittered
from weather.ingest.raw import NOT_JUDGED, Keys, Receipt, lines_of
from weather.ingest.replies import REPEATABLE, Unusable
from weather.settings import SourceSettings
from weather.storage import Store

log = logging.getLogger("ingest")

NAMED_REJECTIONS = 3
"""How many rejected locations the last line names; the rest it counts."""

MOST_PARTS = 400
"""Parts that one try of a job splits its calls into: 14 find one location among 100."""

PARTS_WITHOUT_A_RESPONSE = 8
"""Parts of a call that all fail before the service counts as the cause, not the locations."""

MOST_CHARACTERS = 1_000_000
"""Of a body without readable responses, in a line of raw/."""

CALLS_WITHOUT_A_RESPONSE = 3
"""Calls for one location each that fail in a row before the service counts as the cause."""


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
    """Fetch a job's hours and store every response, with its verdict.

    Raises:
        StepError: SETTING, before the first call, for a window that has not happened yet or a
            run that is too much for the free service; REJECTED after all calls if the response
            of some location could not be read or failed the checks; at once, with the calls
            before stored, REFUSED, WAIT_NEXT_HOUR or WAIT_NEXT_DAY as the service says,
            UNAVAILABLE after too many tries.
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
    with OpenMeteo(source, patience) as service:
        run = _Run(len(calls), keys, source, store, tally, patience, clock, service)
        for call in calls:
            run.take(call)
    run.finish()


@dataclass
class _Run:
    """One try of a job, and what its calls have brought so far."""

    calls: int
    keys: Keys
    source: SourceSettings
    store: Store
    tally: Tally
    patience: Patience
    clock: Clock
    service: OpenMeteo
    next_start: float = 0.0
    parts: int = 0
    """Number of parts that calls were split into so far."""
    suspects: set[str] = field(default_factory=set)
    """Locations without a readable response in an earlier call: each is in a call of its own."""
    has_read: bool = False
    failures_in_a_row: list[StepError] = field(default_factory=list)
    """Of calls for one location each."""

    def take(self, call: Call) -> None:
        """Fetch a call and store it; split it as long as some of its locations cannot be read.

        The parts of one size come before smaller ones, so that a service that cannot answer at
        all is found out after few requests.

        Raises:
            StepError: the service is the cause, not some of the locations; or the store failed.
        """
        failures: list[StepError] = []
        has_read = False
        level = call.without(self.suspects)
        while level:
            failed: list[tuple[Fetch, Unusable]] = []
            for part in level:
                fetch = self._fetch_of(part)
                try:
                    receipt = self._received(fetch)
                except Unusable as error:
                    failures.append(fetch.failure(error))
                    if not error.may_be_of_a_location:
                        raise failures[-1] from None
                    failed.append((fetch, error))
                else:
                    has_read = self.has_read = True
                    rejected = self._keep(receipt)
                    log.info(
                        "%s: %d hours from %s, %d locations (%d rejected), in %.1f s, %s, from %s",
                        fetch.name,
                        part.window.hours,
                        f"{part.window.start:%Y-%m-%dT%H:%MZ}",
                        len(part.locations),
                        rejected,
                        time.monotonic() - fetch.started,
                        fetch.tries_in_words,
                        fetch.address,
                    )
            if failed and not has_read and _is_the_service(call, level, failed):
                raise failures[0]
            level = self._parts_of(failed)
        if has_read:
            self.failures_in_a_row.clear()
            return
        self.failures_in_a_row.append(failures[0])
        if len(self.failures_in_a_row) >= CALLS_WITHOUT_A_RESPONSE:
            raise self.failures_in_a_row[0]

    def finish(self) -> None:
        """End the step, after all calls.

        Raises:
            StepError: REJECTED if some location was rejected, or why nothing could be read.
        """
        if self.failures_in_a_row and not self.has_read:
            raise self.failures_in_a_row[0]
        if self.tally.rejected:
            raise _rejection(self.keys, self.store, self.tally)

    def _fetch_of(self, call: Call) -> Fetch:
        time.sleep(max(0.0, self.next_start - time.monotonic()))
        name = f"Call {call.number + 1} of {self.calls}{call.part and f', part {call.part}'}"
        address = address_of(call, self.source, self.clock())
        return Fetch(name, self.keys, call, address, self.service, self.store, self.clock)

    def _received(self, fetch: Fetch) -> Receipt:
        call = fetch.call
        try:
            return fetch.with_retries(self.patience)
        finally:
            self.tally.retries += fetch.retries
            self.tally.received = self.service.received
            pause = seconds_to_next_call(
                len(call.locations),
                call.window.hours,
                len(UNITS),
                fetch.address,
                has_key=self.source.open_meteo_api_key is not None,
            )
            self.next_start = fetch.started + jittered(pause)

    def _parts_of(self, failed: Sequence[tuple[Fetch, Unusable]]) -> list[Call]:
        """Split what failed; a single location is stored as rejected instead."""
        parts: list[Call] = []
        for fetch, error in failed:
            if len(fetch.call.locations) > 1 and self.parts < MOST_PARTS:
                parts += fetch.call.halves()
                self.parts += 2
                log.warning("%s: %s; split to find its location", fetch.name, error)
            else:
                self._keep_unreadable(fetch, error)
        return parts

    def _keep(self, receipt: Receipt) -> int:
        """Store responses before they are validated, then with their verdicts.

        Returns:
            How many were rejected.
        """
        call = receipt.call
        unjudged = [NOT_JUDGED for _ in call.locations]
        self.store.put(self.keys.raw(call), b"".join(lines_of(receipt, unjudged)))
        problems = [
            problem_of_place(answer, call.locations[position], position)
            or problem_of(answer, call.window)
            for position, answer in enumerate(receipt.answers)
        ]
        self.tally.calls += 1
        return self._store_verdicts(receipt, problems)

    def _keep_unreadable(self, fetch: Fetch, error: Unusable) -> None:
        """Store a body without readable responses as the response of the part's locations."""
        locations = fetch.call.locations
        self.suspects |= {location.id for location in locations}
        # dbt reads lines of up to 16 MB; the attempt's object has the whole body.
        body = error.body.decode(errors="replace")[:MOST_CHARACTERS]
        answers = [body, *(None for _ in locations[1:])]
        receipt = Receipt(fetch.call, fetch.address, self.clock(), answers)
        together = f" (for {len(locations)} locations together)" if len(locations) > 1 else ""
        problem = f"no readable response: {error}{together}"
        self._store_verdicts(receipt, [problem for _ in locations])

    def _store_verdicts(self, receipt: Receipt, problems: Sequence[str | None]) -> int:
        call = receipt.call
        lines = lines_of(receipt, problems)
        rejected = []
        for location, problem, line in zip(call.locations, problems, lines, strict=True):
            if problem is not None:
                self.store.put(self.keys.rejected(call, location.id), line)
                rejected.append(f"{location.id}: {problem}")
        self.store.put(self.keys.raw(call), b"".join(lines))
        accepted = len(call.locations) - len(rejected)
        self.tally.rejected += rejected
        self.tally.accepted += accepted
        self.tally.hours_accepted += call.window.hours * accepted
        self.tally.hours_rejected += call.window.hours * len(rejected)
        return len(rejected)


def _is_the_service(
    call: Call, level: Sequence[Call], failed: Sequence[tuple[Fetch, Unusable]]
) -> bool:
    """Tell whether the service is the cause that nothing of a call could be read so far."""
    if len(call.locations) == 1 or len(level) >= PARTS_WITHOUT_A_RESPONSE:
        return len(call.locations) > 1
    if len(level) > 1 and any(error.trouble not in REPEATABLE for _, error in failed):
        return True
    return all(len(fetch.call.locations) == 1 for fetch, _ in failed)


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
