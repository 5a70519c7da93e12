"""How long a call waits, how often it is tried again, and when it is given up."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_before_delay,
)

from weather.ingest.replies import Trouble, Unusable


@dataclass(frozen=True)
class Patience:
    """Times in seconds; the defaults suit the real service."""

    attempts: int = 5
    deadline: float = 600
    """For one call with all its tries."""
    first_wait: float = 2
    """Doubled after each try."""
    longest_wait: float = 60
    minute: float = 60
    """After the limit of requests a minute is used up."""
    connect: float = 10
    read: float = 60
    """Between two pieces of an answer."""
    answer: float = 300
    """For an answer as a whole, however steadily it drips."""

    def retrying(
        self,
        before_wait: Callable[[RetryCallState], None],
        most_attempts: Callable[[Unusable], int] | None = None,
    ) -> Retrying:
        """Make a controller of one call's tries, which raises the last failure as it is.

        Args:
            before_wait: called before each wait.
            most_attempts: how many tries may have failed before a failure like this one is
                raised; `attempts` without it.
        """
        time_is_up = stop_before_delay(self.deadline)

        def is_last(state: RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            most = self.attempts
            if most_attempts is not None and isinstance(error, Unusable):
                most = most_attempts(error)
            return state.attempt_number >= most or time_is_up(state)

        return Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, Unusable) and error.passes),
            stop=is_last,
            wait=self._wait,
            before_sleep=before_wait,
            reraise=True,
        )

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Unusable) and error.trouble is Trouble.MINUTELY_LIMIT:
            seconds = self.minute
        else:
            seconds = min(self.first_wait * 2 ** (state.attempt_number - 1), self.longest_wait)
        return jittered(seconds)


DEFAULT_PATIENCE = Patience()


def jittered(seconds: float) -> float:
    """Up to a tenth longer, so that many processes do not come back at the same moment."""
    return seconds * random.uniform(1, 1.1)  # noqa: S311 - spreads load and guards no secret
