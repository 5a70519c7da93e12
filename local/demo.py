"""`make demo`: the whole pipeline once, what the API then answers, and nothing left running."""

import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from local.api import running_api
from local.dag_run import run_dag
from local.folders import State
from local.lease import one_at_a_time
from local.ports import free_port
from local.progress import Progress
from local.session import Session, running_session
from local.table import table
from weather.errors import StepError

ROWS = 8
ANSWER_SECONDS = 30


def show_demo(outside: Mapping[str, str], state: State) -> int:
    """Run the DAG for the present hour and print `GET /weather/summary`; the exit code."""
    progress = Progress(sys.stdout)
    with running_session(outside, state, progress) as session:
        with one_at_a_time(
            state.root / "demo.lock",
            waiting=lambda: progress.done(
                "another `make demo` runs in this folder; waiting for it"
            ),
        ):
            progress.done("airflow dags test weather_pipeline:")
            _run_dag(session, state.log("demo-run"), progress)
        with running_api(session.environment, free_port(), state.log("api")) as api:
            progress.done(f"API started at {api.address}")
            summary, attribution = _get(f"{api.address}/weather/summary")
            print(f"\nGET /weather/summary, the first {min(ROWS, len(summary))} of its rows:\n")
            print("\n".join(table(summary[:ROWS])))
            print(f"\n{attribution}\n")
    progress.done("nothing is left running")
    return 0


def _run_dag(session: Session, log: Path, progress: Progress) -> None:
    try:
        run_dag(session.environment, log, lambda news: progress.done(f"  {news}"))
    except StepError:
        # A service that has ended, or lost its folder, is the reason for what the task met.
        session.require_running()
        raise


def _get(address: str) -> tuple[list[dict[str, object]], str]:
    """Return the rows and the attribution of a response."""
    answer = httpx.get(address, timeout=ANSWER_SECONDS, trust_env=False)
    if not answer.is_success:
        raise StepError(f"GET {address} was answered with {answer.status_code}: {answer.text}")
    rows: list[dict[str, object]] = answer.json()
    return rows, answer.headers["Attribution"]
