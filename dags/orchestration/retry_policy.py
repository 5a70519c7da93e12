"""Retry policy of the DAG: a failed step's exit code decides whether and when to retry."""

import signal
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Context
from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowException

from weather.errors import ExitCode

AFTER_RATE_LIMIT = timedelta(minutes=3)
"""Time between the end of a rate limit's hour or day and the retry."""

PERMANENT = {ExitCode.SETTING, ExitCode.REJECTED, ExitCode.REFUSED}

SIGKILLED = 128 + signal.SIGKILL
SIGTERMED = 128 + signal.SIGTERM

KILLED = {SIGKILLED, SIGTERMED, -signal.SIGKILL, -signal.SIGTERM}
"""Exit codes of a killed step (evicted, deleted, out of memory), in a pod and a subprocess."""

AFTER_A_KILL = timedelta(seconds=5)


class StepFailed(AirflowException):
    """Failure of a step with an exit code other than 0. The message is the last line of output."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class StepRetryPolicy(RetryPolicy):
    """Retry after rate limits have ended, and fail at once after a permanent error."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """Decide by the exit code. Other exceptions follow the task's `retries`."""
        if not isinstance(exception, StepFailed):
            return RetryDecision.default()
        return decision(exception.exit_code, datetime.now(UTC))

    def serialize(self) -> dict[str, Any]:
        """Return no fields: the policy has no state."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> "StepRetryPolicy":
        """Create the policy."""
        return cls()


def decision(exit_code: int, now: datetime) -> RetryDecision:
    """Decide by a step's exit code whether and when Airflow retries the task.

    Args:
        exit_code: the step's.
        now: the time of the failure, in UTC as the service's hours and days.
    """
    if exit_code in PERMANENT:
        return RetryDecision.fail(reason="The error is permanent: a retry would fail again.")
    hour = now.replace(minute=0, second=0, microsecond=0)
    if exit_code == ExitCode.WAIT_NEXT_HOUR:
        wait = hour + timedelta(hours=1) + AFTER_RATE_LIMIT - now
        return RetryDecision.retry(wait, reason="The service's hourly rate limit is used up.")
    if exit_code == ExitCode.WAIT_NEXT_DAY:
        wait = hour.replace(hour=0) + timedelta(days=1) + AFTER_RATE_LIMIT - now
        return RetryDecision.retry(wait, reason="The service's daily rate limit is used up.")
    if exit_code in KILLED:
        return RetryDecision.retry(AFTER_A_KILL, reason="The step was killed by a signal.")
    return RetryDecision.default()
