"""Exit codes of the steps, and the exceptions with an exit code."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the steps. Codes 64, 65 and 75 have the meanings of sysexits.h.

    By them, dags/orchestration/retry_policy.py decides whether and when Airflow retries.
    """

    OK = 0
    UNEXPECTED = 1
    """A bug or an unforeseen error: retried."""
    SETTING = 64
    """A setting or argument is invalid or cannot work: not retried."""
    REJECTED = 65
    """At least one location's response was unreadable or invalid, or a source with less than half
    of the locations failed. The others' responses are accepted."""
    REFUSED = 66
    """The service refused the request (400, 401, 403) or redirects to another host."""
    UNAVAILABLE = 75
    """The service or the store failed after several attempts: retried later."""
    WAIT_NEXT_HOUR = 76
    """The service's hourly quota is used up."""
    WAIT_NEXT_DAY = 77
    """The service's daily quota is used up."""


class StepError(Exception):
    """A failure in one line: what failed, where, and what to do next."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.UNEXPECTED) -> None:
        super().__init__(" ".join(message.split()))
        self.exit_code = exit_code


class SourceError(StepError):
    """A failure of one source of weather. Other sources may still respond."""
