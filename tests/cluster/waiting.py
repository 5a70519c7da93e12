"""Wait for a condition with a time limit."""

import time
from collections.abc import Callable
from typing import TypeVar

SECONDS_BETWEEN_LOOKS = 0.5

Seen = TypeVar("Seen")


class WaitTimeoutError(AssertionError):
    """A wait timed out. The message has the expected and the current state."""


def wait_for(
    what: str,
    look: Callable[[], Seen | None],
    seconds: float,
    instead: Callable[[], object],
) -> Seen:
    """Call `look` until its result is true, and return the result.

    Args:
        what: the condition in words, for the message.
        look: returns None or False until the condition is met.
        seconds: time limit.
        instead: returns the current state, for the message.

    Raises:
        WaitTimeoutError: the time limit has passed.
    """
    deadline = time.monotonic() + seconds
    while True:
        if seen := look():
            return seen
        if time.monotonic() > deadline:
            raise WaitTimeoutError(
                f"{what}: timed out after {seconds:.0f} s. Current state:\n{instead()}"
            )
        time.sleep(SECONDS_BETWEEN_LOOKS)
