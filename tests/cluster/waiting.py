"""Waiting with a deadline, and saying what was there instead."""

import time
from collections.abc import Callable
from typing import TypeVar

SECONDS_BETWEEN_LOOKS = 0.5

Seen = TypeVar("Seen")


class WaitedInVain(AssertionError):
    """A deadline has passed; the message says what was waited for and what was seen instead."""


def wait_for(
    what: str,
    look: Callable[[], Seen | None],
    seconds: float,
    instead: Callable[[], object],
) -> Seen:
    """Look again and again until there is something.

    Args:
        what: in words, for the message.
        look: gives None or False as long as it is not there.
        seconds: how long to wait.
        instead: tells what is there at the deadline.

    Raises:
        WaitedInVain: the deadline has passed.
    """
    deadline = time.monotonic() + seconds
    while True:
        if seen := look():
            return seen
        if time.monotonic() > deadline:
            raise WaitedInVain(f"{what}: waited {seconds:.0f} s in vain. Instead:\n{instead()}")
        time.sleep(SECONDS_BETWEEN_LOOKS)
