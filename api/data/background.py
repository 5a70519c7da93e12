"""Work that nobody has to wait for longer than they want to, not even the end of the process."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


def in_background(work: Callable[[], Result]) -> Future[Result]:
    """What the work gives or raises, once it has ended.

    It has a thread of its own, which is a daemon: one that waits for a silent server cannot be
    ended, and the threads of an executor would keep the process from ending until it answers.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future
