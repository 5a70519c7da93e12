"""One call with all its tries; what each failed try has received is stored."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tenacity import RetryCallState

from ingest.job import Call
from ingest.open_meteo import OpenMeteo
from ingest.patience import Patience
from ingest.raw import Keys, Receipt, attempt_line
from ingest.replies import ENDINGS, Unusable
from weather.exit_codes import ExitCode, StepError
from weather.published import require_source
from weather.store import Store

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

    def with_retries(self, patience: Patience) -> Receipt:
        """Ask until there are answers, or there is no use in asking.

        Raises:
            StepError: REFUSED, WAIT_NEXT_HOUR or WAIT_NEXT_DAY as the service says, UNAVAILABLE
                after too many tries; or the store failed.
        """
        start = time.monotonic()
        try:
            answers = patience.retrying(self._note)(self._try)
        except Unusable as error:
            raise self._failure(error, time.monotonic() - start) from None
        return Receipt(self.call, self.address, self.clock(), answers)

    @property
    def tries_in_words(self) -> str:
        """Such as `1 try`."""
        return "1 try" if self.tries == 1 else f"{self.tries} tries"

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

    def _failure(self, error: Unusable, seconds: float) -> StepError:
        what = f"{self.name} ({len(self.call.locations)} locations, {self.address})"
        kept = f"Calls stored before it: {self.call.number}."
        if error.passes:
            return StepError(
                f"{what} was given up after {self.tries_in_words} in {seconds:.0f} s, the last "
                f"one: {error}. {kept} See that the service can be reached, then run the task "
                "again.",
                ExitCode.UNAVAILABLE,
            )
        code = ENDINGS[error.trouble]
        return StepError(f"{what} was refused: {error}. {kept} {_ADVICE[code]}", code)
