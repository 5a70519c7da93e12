"""Signals that ask a command to end: each ends it in order, with its services, and only once."""

import signal
from types import FrameType

ASKS_TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class AskedToEnd(BaseException):
    """A signal has asked this command to end; like KeyboardInterrupt, no ordinary exception."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


def raise_when_asked_to_end() -> None:
    """From now on raise AskedToEnd on the first such signal, and ignore those after it.

    A second Ctrl-C would otherwise break off the ending of services that the first has begun.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        for each in ASKS_TO_END:
            signal.signal(each, signal.SIG_IGN)
        raise AskedToEnd(number)

    for each in ASKS_TO_END:
        signal.signal(each, end)
