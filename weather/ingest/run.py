"""Run a job: fetch each call, store it, validate it, and find locations that break a response."""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from weather.errors import ExitCode, StepError
from weather.ingest.fetch import (
    DEFAULT_RETRY_POLICY,
    Clock,
    Fetch,
    RetryPolicy,
    jittered,
    now_in_utc,
)
from weather.ingest.job import Call, Job
from weather.ingest.open_meteo import UNITS, OpenMeteo, base_url_of
from weather.ingest.parse import LIKELY_ONE_LOCATION, AttemptFailed
from weather.ingest.quota import quota_problem, seconds_between_calls
from weather.ingest.raw import NOT_VALIDATED, Fetched, Keys, raw_lines
from weather.ingest.validate import wrong_format, wrong_location
from weather.settings import SourceSettings
from weather.storage import Store

log = logging.getLogger("ingest")

NAMED_REJECTIONS = 3
"""Rejected locations that the error message names; the others are counted."""

MAX_PARTS = 400
"""Parts that one try of a job splits its calls into: 14 find one location among 100."""

PARTS_WITHOUT_A_RESPONSE = 8
"""Failed parts of a call after which the service is the cause, not some of the locations."""

MAX_CHARACTERS = 1_000_000
"""Of an unreadable body, in a line of raw/."""

CALLS_WITHOUT_A_RESPONSE = 3
"""Failed calls in a row for one location each after which the service is the cause."""


@dataclass
class Stats:
    """Counts of a run so far."""

    accepted: int = 0
    rejected: list[str] = field(default_factory=list)
    """`<location id>: <reason>`."""
    calls: int = 0
    retries: Counter[str] = field(default_factory=Counter)
    hours_accepted: int = 0
    """Summed over the locations."""
    hours_rejected: int = 0
    bytes_received: int = 0
    """Of all bodies."""


def ingest(
    job: Job,
    source: SourceSettings,
    store: Store,
    stats: Stats,
    *,
    retry_policy: RetryPolicy = DEFAULT_RETRY_POLICY,
    clock: Clock = now_in_utc,
) -> None:
    """Fetch a job's hours and store every response with the result of its validation.

    Raises:
        StepError: SETTING before the first call, if the window ends in the future or the run
            exceeds the free service's quota. REJECTED after all calls, if a location's response
            was unreadable or invalid. REFUSED, WAIT_NEXT_HOUR, WAIT_NEXT_DAY or UNAVAILABLE at
            once; earlier calls are stored.
    """
    if job.window.last_hour > clock():
        raise StepError(
            f"The window ends with {job.window.last_hour:%Y-%m-%dT%H:%MZ}, an hour that has not "
            "happened yet. Set WEATHER_WINDOW_END to an earlier hour.",
            ExitCode.SETTING,
        )
    if problem := quota_problem(job, source, clock()):
        raise StepError(problem, ExitCode.SETTING)
    keys = Keys.of_try(job, clock())
    calls = list(job.calls)
    with OpenMeteo(source, retry_policy.timeouts) as service:
        run = _Run(len(calls), keys, source, store, stats, retry_policy, clock, service)
        for call in calls:
            run.fetch_and_store(call)
    run.raise_failures()


@dataclass
class _Run:
    """One attempt to ingest a job: its requests to the source, and their failures so far."""

    calls: int
    keys: Keys
    source: SourceSettings
    store: Store
    stats: Stats
    retry_policy: RetryPolicy
    clock: Clock
    service: OpenMeteo
    next_start: float = 0.0
    parts: int = 0
    """Number of parts that calls were split into so far."""
    suspects: set[str] = field(default_factory=set)
    """Locations without a readable response in an earlier call: each gets separate calls."""
    has_response: bool = False
    failures_in_a_row: list[StepError] = field(default_factory=list)
    """Of calls for one location each."""

    def fetch_and_store(self, call: Call) -> None:
        """Fetch and store a call, and split it while some of its locations are unreadable.

        All parts of one size come before smaller ones, so that an unavailable service is noticed
        after few requests.

        Raises:
            StepError: the service is the cause, not some of the locations; or the store failed.
        """
        failures: list[StepError] = []
        has_response = False
        level = call.without(self.suspects)
        while level:
            failed: list[tuple[Fetch, AttemptFailed]] = []
            for part in level:
                fetch = self._start(part)
                try:
                    fetched = self._fetch(fetch)
                except AttemptFailed as error:
                    failures.append(fetch.step_error(error))
                    if not error.is_worth_splitting:
                        raise failures[-1] from None
                    failed.append((fetch, error))
                else:
                    has_response = self.has_response = True
                    rejected = self._store_and_validate(fetched)
                    log.info(
                        "%s: %d hours from %s, %d locations (%d rejected), in %.1f s, %s, from %s",
                        fetch.name,
                        part.window.hours,
                        f"{part.window.start:%Y-%m-%dT%H:%MZ}",
                        len(part.locations),
                        rejected,
                        time.monotonic() - fetch.started,
                        fetch.attempts_in_words,
                        fetch.base_url,
                    )
            if failed and not has_response and _is_service_failure(call, level, failed):
                raise failures[0]
            level = self._split(failed)
        if has_response:
            self.failures_in_a_row.clear()
            return
        self.failures_in_a_row.append(failures[0])
        if len(self.failures_in_a_row) >= CALLS_WITHOUT_A_RESPONSE:
            raise self.failures_in_a_row[0]

    def raise_failures(self) -> None:
        """Fail the step after all calls if some location failed.

        Raises:
            StepError: REJECTED, or the first failure if there was no readable response at all.
        """
        if self.failures_in_a_row and not self.has_response:
            raise self.failures_in_a_row[0]
        if self.stats.rejected:
            raise _rejection(self.keys, self.store, self.stats)

    def _start(self, call: Call) -> Fetch:
        time.sleep(max(0.0, self.next_start - time.monotonic()))
        name = f"Call {call.number + 1} of {self.calls}{call.part and f', part {call.part}'}"
        base_url = base_url_of(call, self.source, self.clock())
        return Fetch(name, self.keys, call, base_url, self.service, self.store, self.clock)

    def _fetch(self, fetch: Fetch) -> Fetched:
        call = fetch.call
        try:
            return fetch.with_retries(self.retry_policy)
        finally:
            self.stats.retries += fetch.retries
            self.stats.bytes_received = self.service.bytes_received
            pause = seconds_between_calls(
                len(call.locations),
                call.window.hours,
                len(UNITS),
                fetch.base_url,
                has_key=self.source.open_meteo_api_key is not None,
            )
            self.next_start = fetch.started + jittered(pause)

    def _split(self, failed: Sequence[tuple[Fetch, AttemptFailed]]) -> list[Call]:
        """Split failed calls in halves; reject the location of a call that has only one."""
        parts: list[Call] = []
        for fetch, error in failed:
            if len(fetch.call.locations) > 1 and self.parts < MAX_PARTS:
                parts += fetch.call.halves()
                self.parts += 2
                log.warning("%s: %s; split to find the location", fetch.name, error)
            else:
                self._store_unreadable(fetch, error)
        return parts

    def _store_and_validate(self, fetched: Fetched) -> int:
        """Store responses before validation, and again with its results.

        Returns:
            How many were rejected.
        """
        call = fetched.call
        not_validated = [NOT_VALIDATED for _ in call.locations]
        self.store.put(self.keys.raw(call), b"".join(raw_lines(fetched, not_validated)))
        reasons = [
            wrong_location(response, call.locations[position], position)
            or wrong_format(response, call.window)
            for position, response in enumerate(fetched.responses)
        ]
        self.stats.calls += 1
        return self._store_validated(fetched, reasons)

    def _store_unreadable(self, fetch: Fetch, error: AttemptFailed) -> None:
        """Store an unreadable body as the rejected response of the call's locations."""
        locations = fetch.call.locations
        self.suspects |= {location.id for location in locations}
        # dbt reads lines of up to 16 MB; the attempt's object has the whole body.
        body = error.body.decode(errors="replace")[:MAX_CHARACTERS]
        responses = [body, *(None for _ in locations[1:])]
        fetched = Fetched(fetch.call, fetch.base_url, self.clock(), responses)
        together = f" (for {len(locations)} locations together)" if len(locations) > 1 else ""
        reason = f"no readable response: {error}{together}"
        self._store_validated(fetched, [reason for _ in locations])

    def _store_validated(self, fetched: Fetched, reasons: Sequence[str | None]) -> int:
        call = fetched.call
        lines = raw_lines(fetched, reasons)
        rejected = []
        for location, reason, line in zip(call.locations, reasons, lines, strict=True):
            if reason is not None:
                self.store.put(self.keys.rejected(call, location.id), line)
                rejected.append(f"{location.id}: {reason}")
        self.store.put(self.keys.raw(call), b"".join(lines))
        accepted = len(call.locations) - len(rejected)
        self.stats.rejected += rejected
        self.stats.accepted += accepted
        self.stats.hours_accepted += call.window.hours * accepted
        self.stats.hours_rejected += call.window.hours * len(rejected)
        return len(rejected)


def _is_service_failure(
    call: Call, level: Sequence[Call], failed: Sequence[tuple[Fetch, AttemptFailed]]
) -> bool:
    """Return whether the service is the cause that nothing of a call is readable so far."""
    if len(call.locations) == 1 or len(level) >= PARTS_WITHOUT_A_RESPONSE:
        return len(call.locations) > 1
    if len(level) > 1 and any(error.kind not in LIKELY_ONE_LOCATION for _, error in failed):
        return True
    return all(len(fetch.call.locations) == 1 for fetch, _ in failed)


def _rejection(keys: Keys, store: Store, stats: Stats) -> StepError:
    rejected = stats.rejected
    named = "; ".join(rejected[:NAMED_REJECTIONS])
    more = len(rejected) - NAMED_REJECTIONS
    return StepError(
        f"Validation rejected {len(rejected)} of {len(rejected) + stats.accepted} responses: "
        f"{named}{f'; and {more} more' if more > 0 else ''}. The {stats.accepted} others are "
        f"stored. See s3://{store.bucket}/rejected/{keys.folder}/, and run the task again later.",
        ExitCode.REJECTED,
    )
