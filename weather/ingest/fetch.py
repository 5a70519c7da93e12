"""One call with all its tries; what each failed try has received is stored."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tenacity import RetryCallState

from weather.errors import ExitCode, StepError
from weather.ingest.job import Call
from weather.ingest.open_meteo import OpenMeteo
from weather.ingest.patience import Patience
from weather.ingest.raw import Keys, Receipt, attempt_line
from weather.ingest.replies import ENDINGS, REPEATABLE, Trouble, Unusable
from weather.published import require_source
from weather.storage import Store

log = logging.getLogger("ingest")

Clock = Callable[[], datetime]

_ADVICE = {
    ExitCode.REFUSED: "Correct OPEN_METEO_URL, OPEN_METEO_API_KEY or the locations, then run the "
    "task again.",
    ExitCode.WAIT_NEXT_HOUR: "Run the task again in the next hour.",
    ExitCode.WAIT_NEXT_DAY: "Run the task again tomorrow (UTC).",
}


def now_in_utc() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


@dataclass
class Fetch:
    """A call on its way, with the tries it has taken so far."""

    name: str
    keys: Keys
    call: Call
    address: str
    service: OpenMeteo
    store: Store
    clock: Clock
    tries: int = 0
    retries: Counter[str] = field(default_factory=Counter)
    """How many more tries each kind of trouble made necessary."""
    started: float = field(default_factory=time.monotonic)

    def with_retries(self, patience: Patience) -> Receipt:
        """Send the request until there are responses, or until another try cannot succeed.

        Raises:
            Unusable: the last try's failure.
            StepError: the store failed.
        """

        def most_attempts(error: Unusable) -> int:
            # Each location counts against the service's limits in each try, and the tries of the
            # parts follow anyway.
            if not error.may_be_of_a_location:
                return patience.attempts
            if self.call.part:
                return 2 if len(self.call.locations) == 1 else 1
            several = len(self.call.locations) > 1
            return 2 if several and error.trouble in REPEATABLE else patience.attempts

        answers = patience.retrying(self._note, most_attempts)(self._try)
        return Receipt(self.call, self.address, self.clock(), answers)

    @property
    def tries_in_words(self) -> str:
        """Such as `1 try`."""
        return "1 try" if self.tries == 1 else f"{self.tries} tries"

    def failure(self, error: Unusable) -> StepError:
        """Make the error that ends the step: REFUSED, WAIT_NEXT_HOUR and so on, or UNAVAILABLE."""
        locations = self.call.locations
        which = f"{len(locations)} locations" if len(locations) > 1 else locations[0].id
        what = f"{self.name} ({which}, {self.address})"
        kept = f"Calls stored before it: {self.call.number}."
        if error.passes:
            seconds = time.monotonic() - self.started
            remedy = "See that the service can be reached, then run the task again."
            if error.trouble is Trouble.GATEWAY:
                remedy = (
                    "This is not the service's own refusal: see that OPEN_METEO_URL and "
                    "OPEN_METEO_ARCHIVE_URL are its addresses and that no proxy or gateway in "
                    "between refuses, then run the task again."
                )
            return StepError(
                f"{what} was given up after {self.tries_in_words} in {seconds:.0f} s, the last "
                f"one: {error}. {kept} {remedy}",
                ExitCode.UNAVAILABLE,
            )
        code = ENDINGS[error.trouble]
        return StepError(f"{what} was refused: {error}. {kept} {_ADVICE[code]}", code)

    def _try(self) -> list[object]:
        self.tries += 1
        try:
            answers = self.service.ask(self.call, self.address)
        except Unusable as error:
            if error.body:
                self.store.put(
                    self.keys.attempt(self.call, self.tries),
                    attempt_line(self.call, self.address, self.clock(), error),
                )
            raise
        require_source(self.store, self.service.answered_by, self.address)
        return answers

    def _note(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Unusable) and state.next_action:
            self.retries[error.trouble] += 1
            wait = state.next_action.sleep
            log.warning("%s: try %d: %s; again in %.1f s", self.name, self.tries, error, wait)
