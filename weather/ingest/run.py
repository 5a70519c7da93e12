"""Run a job: fetch, store and validate calls, and split calls with an unreadable location."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from weather.errors import ExitCode, SourceError, StepError
from weather.ingest.fetch import (
    DEFAULT_RETRY_POLICY,
    Clock,
    Fetch,
    RetryPolicy,
    SourceClient,
    jittered,
    now_in_utc,
)
from weather.ingest.http_json import LIKELY_ONE_LOCATION, AttemptFailed, Timeouts
from weather.ingest.job import Call, Job, Stats
from weather.ingest.open_meteo import OpenMeteo
from weather.ingest.raw import NOT_VALIDATED, Fetched, Keys, raw_lines
from weather.ingest.validate import wrong_format
from weather.settings import SourceSettings
from weather.source import DEFAULT_SOURCE
from weather.storage import Store

log = logging.getLogger("ingest")

CLIENTS: Mapping[str, Callable[[SourceSettings, Timeouts], SourceClient]] = {
    DEFAULT_SOURCE: OpenMeteo,
}
"""The sources' clients, by the keys of `weather.source.SOURCES`."""

MAX_PARTS = 400
"""Limit of the parts of all calls in one try. 14 parts find one location among 100."""

PARTS_WITHOUT_A_RESPONSE = 8
"""Number of failed parts of a call after which the service counts as the cause."""

MAX_CHARACTERS = 1_000_000
"""Limit of the characters of an unreadable body in a line of raw/."""

CALLS_WITHOUT_A_RESPONSE = 3
"""Consecutive failed calls for one location after which the service counts as the cause."""


def ingest(
    job: Job,
    settings: SourceSettings,
    store: Store,
    stats: Stats,
    *,
    retry_policy: RetryPolicy = DEFAULT_RETRY_POLICY,
    clock: Clock = now_in_utc,
) -> None:
    """Fetch a job's hours and store every response with the result of its validation.

    A failed source ends its own calls only. Its earlier calls are stored.

    Raises:
        StepError: SETTING before the first call, if the window ends in the future. At once if the
            store fails. After all calls: REJECTED if a location's response was unreadable or
            invalid, and the codes of `_failure` if a source failed or has a wrong setting.
    """
    if job.window.last_hour > clock():
        raise StepError(
            f"The window ends with {job.window.last_hour:%Y-%m-%dT%H:%MZ}, an hour that has not "
            "happened yet. Set WEATHER_WINDOW_END to an earlier hour.",
            ExitCode.SETTING,
        )
    planned: list[tuple[str, SourceClient, list[Call]]] = []
    total = 0
    failures: dict[str, SourceError] = {}
    with ExitStack() as connections:
        for name in job.sources:
            client = CLIENTS[name](settings, retry_policy.timeouts)
            connections.callback(client.http.close)
            if problem := client.problem(job, clock()):
                failures[name] = SourceError(problem, ExitCode.SETTING)
                continue
            sizes = client.locations_per_call, client.hours_per_call
            calls = job.calls(name, *sizes, first_number=total)
            planned.append((name, client, calls))
            total += len(calls)
        keys = Keys.of_try(job, clock())
        for name, client, calls in planned:
            run = _SourceRun(total, keys, store, stats, retry_policy, clock, client)
            try:
                run.fetch_and_store_all(calls)
            except SourceError as error:
                failures[name] = error
    rejection = stats.rejection(f"s3://{store.bucket}/rejected/{keys.folder}/")
    if failures:
        raise _failure(failures, job, stats, rejection)
    if rejection:
        raise StepError(rejection, ExitCode.REJECTED)


def _failure(
    failures: Mapping[str, SourceError], job: Job, stats: Stats, rejection: str | None
) -> StepError:
    """Combine the sources' failures into one error with the first failure's exit code.

    A retry of the task requests all sources again. So a failed source with less than half of the
    locations ends the step with REJECTED, and waits for the next run.
    """
    first = next(iter(failures.values()))
    if len(job.sources) == 1:
        return first
    failed = sum(location.source in failures for location in job.locations)
    is_small = 2 * failed < len(job.locations)
    is_retried = first.exit_code not in (ExitCode.SETTING, ExitCode.REFUSED)
    others = rejection or f"The {stats.accepted} accepted responses are stored."
    return StepError(
        f"{' '.join(map(str, failures.values()))} {others}",
        ExitCode.REJECTED if is_small and is_retried else first.exit_code,
    )


@dataclass
class _SourceRun:
    """State of one attempt to ingest a source's part of a job."""

    calls: int
    """Number of calls to all sources."""
    keys: Keys
    store: Store
    stats: Stats
    retry_policy: RetryPolicy
    clock: Clock
    client: SourceClient
    next_start: float = 0.0
    parts: int = 0
    """Number of parts that calls were split into so far."""
    suspects: set[str] = field(default_factory=set)
    """Locations without a readable response in an earlier call: each gets separate calls."""
    has_response: bool = False
    failures_in_a_row: list[SourceError] = field(default_factory=list)
    """Consecutive failures of calls for one location."""

    def fetch_and_store_all(self, calls: Sequence[Call]) -> None:
        """Fetch and store calls.

        Raises:
            SourceError: the source failed, or returned no readable response at all.
            StepError: the store failed.
        """
        for call in calls:
            self.fetch_and_store(call)
        if self.failures_in_a_row and not self.has_response:
            raise self.failures_in_a_row[0]

    def fetch_and_store(self, call: Call) -> None:
        """Fetch and store a call. Split the call while some of its locations are unreadable.

        All parts of one size come before smaller ones, so that an unavailable service is noticed
        after few requests.

        Raises:
            SourceError: the service is the cause, not some of the locations.
            StepError: the store failed.
        """
        failures: list[SourceError] = []
        has_response = False
        level = call.without(self.suspects)
        while level:
            failed: list[tuple[Fetch, AttemptFailed]] = []
            for part in level:
                fetch = self._start(part)
                try:
                    fetched = self._fetch(fetch)
                except AttemptFailed as error:
                    failures.append(fetch.source_error(error, stored=self.stats.calls))
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

    def _start(self, call: Call) -> Fetch:
        time.sleep(max(0.0, self.next_start - time.monotonic()))
        name = f"Call {call.number + 1} of {self.calls}{call.part and f', part {call.part}'}"
        base_url = self.client.base_url(call, self.clock())
        return Fetch(name, self.keys, call, base_url, self.client, self.store, self.clock)

    def _fetch(self, fetch: Fetch) -> Fetched:
        received_before = self.client.http.bytes_received
        try:
            return fetch.with_retries(self.retry_policy)
        finally:
            self.stats.retries += fetch.retries
            self.stats.bytes_received += self.client.http.bytes_received - received_before
            pause = self.client.pause(fetch.call, fetch.base_url)
            self.next_start = fetch.started + jittered(pause)

    def _split(self, failed: Sequence[tuple[Fetch, AttemptFailed]]) -> list[Call]:
        """Split failed calls into halves. Reject the location of a call for one location."""
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
        """Store responses before validation, and store the results after validation.

        Returns:
            How many were rejected.
        """
        call = fetched.call
        not_validated = [NOT_VALIDATED for _ in call.locations]
        self.store.put(self.keys.raw(call), b"".join(raw_lines(fetched, not_validated)))
        validated = [self._validate(call, *each) for each in enumerate(fetched.responses)]
        self.stats.calls += 1
        return self._store_validated(
            fetched, [reason for _, reason in validated], [hours for hours, _ in validated]
        )

    def _validate(self, call: Call, position: int, response: object) -> tuple[object, str | None]:
        """Return the hours if they were converted, else None, and a rejection's reason or None."""
        try:
            location = call.locations[position]
            if reason := self.client.wrong_location(response, location, position):
                return None, reason
            hours = self.client.hours_of(response, call.window)
        except Exception as error:  # a conversion may fail anywhere in an unexpected structure
            return None, f"unexpected structure: {type(error).__name__}: {error}"
        return (None if hours is response else hours), wrong_format(hours, call.window)

    def _store_unreadable(self, fetch: Fetch, error: AttemptFailed) -> None:
        """Store an unreadable body as the rejected response of the call's locations."""
        locations = fetch.call.locations
        self.suspects |= {location.id for location in locations}
        # dbt reads lines of up to 16 MB; the attempt's object has the whole body.
        body = error.body.decode(errors="replace")[:MAX_CHARACTERS]
        responses = [body, *(None for _ in locations[1:])]
        request = self.client.request_fields(fetch.call)
        fetched = Fetched(fetch.call, fetch.base_url, self.clock(), request, responses)
        together = f" (for {len(locations)} locations together)" if len(locations) > 1 else ""
        reason = f"no readable response: {error}{together}"
        self._store_validated(fetched, [reason for _ in locations])

    def _store_validated(
        self, fetched: Fetched, reasons: Sequence[str | None], hours: Sequence[object] = ()
    ) -> int:
        call = fetched.call
        lines = raw_lines(fetched, reasons, hours)
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
    """Return whether the service, not a location, is the likely cause that all parts failed."""
    if len(call.locations) == 1 or len(level) >= PARTS_WITHOUT_A_RESPONSE:
        return len(call.locations) > 1
    if len(level) > 1 and any(error.kind not in LIKELY_ONE_LOCATION for _, error in failed):
        return True
    return all(len(fetch.call.locations) == 1 for fetch, _ in failed)
