"""`make demo`: the whole pipeline once, what the API then answers, and nothing left running."""

import sys
from collections.abc import Mapping

import httpx

from local.api import running_api
from local.dag_run import run_dag
from local.folders import State
from local.ports import free_port
from local.progress import Progress
from local.session import running_session
from local.table import table
from weather.exit_codes import StepError

ROWS = 8
ANSWER_SECONDS = 30


def show_demo(outside: Mapping[str, str], state: State) -> int:
    """Run the DAG for the present hour and print `GET /weather/summary`; the exit code."""
    progress = Progress(sys.stdout)
    with running_session(outside, state, progress) as session:
        progress.done("airflow dags test weather_pipeline:")
        run_dag(session.environment, state.log("demo-run"), lambda news: progress.done(f"  {news}"))
        with running_api(session.environment, free_port(), state.log("api")) as api:
            progress.done(f"API started at {api.address}")
            summary, attribution = _get(f"{api.address}/weather/summary")
            print(f"\nGET /weather/summary, the first {min(ROWS, len(summary))} of its rows:\n")
            print("\n".join(table(summary[:ROWS])))
            print(f"\n{attribution}\n")
    progress.done("nothing is left running")
    return 0


def _get(address: str) -> tuple[list[dict[str, object]], str]:
    """Return the rows and the attribution of a response."""
    answer = httpx.get(address, timeout=ANSWER_SECONDS, trust_env=False)
    if not answer.is_success:
        raise StepError(f"GET {address} was answered with {answer.status_code}: {answer.text}")
    rows: list[dict[str, object]] = answer.json()
    return rows, answer.headers["Attribution"]
