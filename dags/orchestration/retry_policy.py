"""What Airflow does after a step has failed: it depends on the step's exit code."""

import signal
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Context
from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowException

from weather.errors import ExitCode

AFTER_THE_LIMIT = timedelta(minutes=3)
"""How long after a limit's hour or day has ended to ask again."""

NO_USE_TO_RETRY = {ExitCode.SETTING, ExitCode.REJECTED, ExitCode.REFUSED}

SIGKILLED = 128 + signal.SIGKILL
SIGTERMED = 128 + signal.SIGTERM

KILLED = {SIGKILLED, SIGTERMED, -signal.SIGKILL, -signal.SIGTERM}
"""A signal's exit code as Kubernetes and as Python name it: evicted, deleted, out of memory."""

AFTER_A_KILL = timedelta(seconds=5)


class StepFailed(AirflowException):
    """A step ended with an exit code other than 0; the message is the last line that it wrote."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class StepRetryPolicy(RetryPolicy):
    """Wait out the service's limits, and do not repeat what cannot succeed."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """Decide by the exit code; any other failure follows the task's own retries."""
        if not isinstance(exception, StepFailed):
            return RetryDecision.default()
        return decision(exception.exit_code, datetime.now(UTC))

    def serialize(self) -> dict[str, Any]:
        """Nothing to keep: the policy has no state."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> "StepRetryPolicy":
        """Make the policy anew."""
        return cls()


def decision(exit_code: int, now: datetime) -> RetryDecision:
    """What to do after that exit code, at that time (UTC: the service's days are days in UTC)."""
    if exit_code in NO_USE_TO_RETRY:
        return RetryDecision.fail(reason="The same answer would come again.")
    hour = now.replace(minute=0, second=0, microsecond=0)
    if exit_code == ExitCode.WAIT_NEXT_HOUR:
        wait = hour + timedelta(hours=1) + AFTER_THE_LIMIT - now
        return RetryDecision.retry(wait, reason="The service's hourly limit is used up.")
    if exit_code == ExitCode.WAIT_NEXT_DAY:
        wait = hour.replace(hour=0) + timedelta(days=1) + AFTER_THE_LIMIT - now
        return RetryDecision.retry(wait, reason="The service's daily limit is used up.")
    if exit_code in KILLED:
        return RetryDecision.retry(AFTER_A_KILL, reason="The step was killed from outside.")
    return RetryDecision.default()
