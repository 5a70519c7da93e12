"""What the pipeline says when an hour is late."""

import logging
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk.definitions.deadline import DeadlineAlert

log = logging.getLogger(__name__)


def deadline_alert(within: timedelta) -> "DeadlineAlert | None":
    """An alert for each run that has not ended that long after it was queued.

    None in `airflow dags test`, which fails on every DAG with a deadline (apache/airflow#73428)
    and has nobody to alert but the person who started it.
    """
    if sys.argv[1:3] == ["dags", "test"]:
        return None
    from airflow.sdk.definitions.callback import AsyncCallback
    from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=within,
        callback=AsyncCallback(
            announce_late_run, kwargs={"minutes": within // timedelta(minutes=1)}
        ),
    )


async def announce_late_run(minutes: int, context: dict[str, Any]) -> None:
    """Say in the triggerer's log which run is late, and what to look at."""
    run_id = context["dag_run"]["dag_run_id"]
    log.error(
        "weather_pipeline: run %s has not ended %d minutes after it was queued; readers still "
        "see the snapshot before it. Open the run in Airflow: its first task that is not green "
        "says why.",
        run_id,
        minutes,
    )
