"""How a step tells the orchestrator what kind of failure it met."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the steps; 64, 65 and 75 mean what they mean in sysexits.h.

    dags/orchestration/retry_policy.py decides by them whether and when Airflow retries.
    """

    OK = 0
    UNEXPECTED = 1
    """A defect, or something nobody foresaw: tried again."""
    SETTING = 64
    """What a setting or an argument asks for cannot be done: trying again cannot help."""
    REJECTED = 65
    """At least one location's response was unreadable or failed the checks; the rest is stored."""
    REFUSED = 66
    """The service itself refused the request (400, 401, 403), or redirects to another host."""
    UNAVAILABLE = 75
    """The service or the store did not answer well after several tries: tried again later."""
    WAIT_NEXT_HOUR = 76
    """The service's hourly limit is used up."""
    WAIT_NEXT_DAY = 77
    """The service's daily limit is used up."""


class StepError(Exception):
    """A failure that a user can act on: one line saying what, where and what to do next."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.UNEXPECTED) -> None:
        super().__init__(" ".join(message.split()))
        self.exit_code = exit_code
