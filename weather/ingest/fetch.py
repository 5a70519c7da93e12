"""Fetch one call from a source: retry with backoff, and store the bodies of failed attempts."""

import logging
import random
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_before_delay

from weather.errors import ExitCode, SourceError
from weather.ingest.http_json import (
    EXIT_CODES,
    LIKELY_ONE_LOCATION,
    AttemptFailed,
    FailureKind,
    HttpClient,
    Timeouts,
)
from weather.ingest.job import HOURS_PER_CALL, Call, Job
from weather.ingest.raw import Fetched, Keys, failed_attempt_line
from weather.locations import LOCATIONS_PER_CALL, Location
from weather.published import require_source
from weather.source import Source
from weather.storage import Store
from weather.window import Window

log = logging.getLogger("ingest")

Clock = Callable[[], datetime]

_ADVICE = {
    ExitCode.REFUSED: "Correct {settings} or the locations, then run the task again.",
    ExitCode.WAIT_NEXT_HOUR: "Run the task again in the next hour.",
    ExitCode.WAIT_NEXT_DAY: "Run the task again tomorrow (UTC).",
}


class SourceClient(ABC):
    """Client of one source of weather, for one request at a time."""

    source: Source
    """Source of the newest response."""
    settings_names: str
    """The source's settings, for error messages."""
    locations_per_call: int = LOCATIONS_PER_CALL
    hours_per_call: int = HOURS_PER_CALL

    def __init__(self, timeouts: Timeouts) -> None:
        self.http = HttpClient(timeouts)

    def problem(self, job: Job, now: datetime) -> str | None:
        """Return the reason why a job's run cannot succeed, such as an exceeded quota, or None."""
        return None

    @abstractmethod
    def base_url(self, call: Call, now: datetime) -> str:
        """Return the address of the server that has the call's hours."""

    @abstractmethod
    def request_fields(self, call: Call) -> dict[str, str]:
        """Return the request's parameters without secrets, as raw/ stores them."""

    @abstractmethod
    def request(self, call: Call, base_url: str) -> list[object]:
        """Send one request.

        Returns:
            The locations' responses as JSON values, in the order of the call's locations.

        Raises:
            AttemptFailed: there is no readable response; its kind decides about a retry.
        """

    def pause(self, call: Call, base_url: str) -> float:
        """Return the seconds from the call's start to the source's next call."""
        return 0

    @abstractmethod
    def wrong_location(self, response: object, location: Location, position: int) -> str | None:
        """Return why a response is for another location than the requested one, or None.

        Args:
            response: one location's response, of any structure.
            location: the requested one.
            position: its position in the call.
        """

    @abstractmethod
    def hours_of(self, response: object, window: Window) -> object:
        """Convert one location's response to `common_format`. An exception rejects the response."""


def now_in_utc() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def jittered(seconds: float) -> float:
    """Lengthen a wait by a random tenth at most, so that processes do not retry simultaneously."""
    return seconds * random.uniform(1, 1.1)  # noqa: S311 - spreads load, not for security


@dataclass(frozen=True)
class RetryPolicy:
    """Attempts, backoff and timeouts of one call. Times in seconds."""

    attempts: int = 5
    deadline: float = 600
    """Limit for all attempts of a call."""
    first_backoff: float = 2
    """Backoff after the first attempt. Each further backoff is twice as long."""
    longest_backoff: float = 60
    minute: float = 60
    """Backoff after the rate limit for a minute is used up."""
    timeouts: Timeouts = field(default_factory=Timeouts)

    def retrying(
        self,
        before_backoff: Callable[[RetryCallState], None],
        max_attempts: Callable[[AttemptFailed], int] | None = None,
    ) -> Retrying:
        """Create tenacity's retry loop for one call. The loop raises the last attempt's exception.

        Args:
            before_backoff: called before each wait.
            max_attempts: how many attempts may fail before a failure like this one is raised;
                without it, `attempts`.
        """
        is_past_deadline = stop_before_delay(self.deadline)

        def is_last(state: RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            most = self.attempts
            if max_attempts is not None and isinstance(error, AttemptFailed):
                most = max_attempts(error)
            return state.attempt_number >= most or is_past_deadline(state)

        return Retrying(
            retry=retry_if_exception(
                lambda error: isinstance(error, AttemptFailed) and error.is_transient
            ),
            stop=is_last,
            wait=self._backoff,
            before_sleep=before_backoff,
            reraise=True,
        )

    def _backoff(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, AttemptFailed) and error.kind is FailureKind.MINUTELY_LIMIT:
            seconds = self.minute
        else:
            seconds = min(
                self.first_backoff * 2 ** (state.attempt_number - 1), self.longest_backoff
            )
        return jittered(seconds)


DEFAULT_RETRY_POLICY = RetryPolicy()


@dataclass
class Fetch:
    """One call in progress, with the attempts made so far."""

    name: str
    keys: Keys
    call: Call
    base_url: str
    client: SourceClient
    store: Store
    clock: Clock
    attempts: int = 0
    retries: Counter[str] = field(default_factory=Counter)
    """Number of retries, by the kind of the preceding failure."""
    started: float = field(default_factory=time.monotonic)

    def with_retries(self, policy: RetryPolicy) -> Fetched:
        """Send the request until it succeeds, or until a retry cannot succeed.

        Raises:
            AttemptFailed: the last attempt's failure.
            SourceError: a replay and weather would mix.
            StepError: the store failed.
        """

        def max_attempts(error: AttemptFailed) -> int:
            # Every attempt uses up quota for each of its locations, and the call's parts are
            # fetched anyway.
            if not error.is_worth_splitting:
                return policy.attempts
            if self.call.part:
                return 2 if len(self.call.locations) == 1 else 1
            several = len(self.call.locations) > 1
            return 2 if several and error.kind in LIKELY_ONE_LOCATION else policy.attempts

        responses = policy.retrying(self._log_retry, max_attempts)(self._attempt)
        request = self.client.request_fields(self.call)
        return Fetched(self.call, self.base_url, self.clock(), request, responses)

    @property
    def attempts_in_words(self) -> str:
        """Return the number of attempts as text, such as `1 attempt`."""
        return "1 attempt" if self.attempts == 1 else f"{self.attempts} attempts"

    def source_error(self, error: AttemptFailed, stored: int) -> SourceError:
        """Create the error that ends the source's calls, with the last attempt's exit code.

        Args:
            error: the last attempt's failure.
            stored: number of calls stored before.
        """
        locations = self.call.locations
        which = f"{len(locations)} locations" if len(locations) > 1 else locations[0].id
        what = f"{self.name} ({which}, {self.base_url})"
        before = f"Calls stored before it: {stored}."
        if not error.is_transient:
            code = EXIT_CODES[error.kind]
            advice = _ADVICE[code].format(settings=self.client.settings_names)
            return SourceError(f"{what} was refused: {error}. {before} {advice}", code)
        seconds = time.monotonic() - self.started
        advice = "Check that the service is reachable, then run the task again."
        if error.kind is FailureKind.GATEWAY:
            advice = (
                f"The response is not in the format of {self.client.source.name}: check "
                f"{self.client.settings_names}, and whether a proxy or gateway blocks the "
                "request, then run the task again."
            )
        return SourceError(
            f"{what} failed after {self.attempts_in_words} in {seconds:.0f} s, the last one: "
            f"{error}. {before} {advice}",
            ExitCode.UNAVAILABLE,
        )

    def _attempt(self) -> list[object]:
        self.attempts += 1
        try:
            responses = self.client.request(self.call, self.base_url)
        except AttemptFailed as error:
            if error.body:
                self.store.put(
                    self.keys.attempt(self.call, self.attempts),
                    failed_attempt_line(
                        self.call,
                        self.base_url,
                        self.clock(),
                        self.client.request_fields(self.call),
                        error,
                    ),
                )
            raise
        except Exception as error:
            # A defect in one source's module must not hold back the other sources.
            log.exception("%s", self.name)
            raise SourceError(
                f"{self.name} ({self.base_url}): unexpected {type(error).__name__}: {error}. See "
                "the traceback above.",
                ExitCode.UNEXPECTED,
            ) from error
        require_source(self.store, self.client.source, self.base_url)
        return responses

    def _log_retry(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, AttemptFailed) and state.next_action:
            self.retries[error.kind] += 1
            seconds = state.next_action.sleep
            log.warning(
                "%s: attempt %d failed: %s; retrying in %.1f s",
                self.name,
                self.attempts,
                error,
                seconds,
            )
