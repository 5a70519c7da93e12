"""`make demo`: run the DAG once by `airflow dags test` and print `GET /weather/summary`."""

import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tabulate import tabulate

from local.environment import DAG_ID, StateDirectory
from local.processes import Command, describe_log, free_port, program, running
from local.session import Progress, Session, running_api, running_session
from local.supervisor import exclusive_lock
from weather.errors import StepError

ROWS = 8
RESPONSE_SECONDS = 30
POLL_SECONDS = 0.1

# Lines of Airflow 3.3's log; a task's own output comes between its start and its new state.
START = re.compile(r"\[DAG TEST\] starting task_id=(\S+) map_index=(-?\d+)")
NEW_STATE = re.compile(r" new_state=(\w+)")
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT")
EXCEPTION = re.compile(r"[\w.]+: (?P<message>.+)")

UNSUCCESSFUL = {"failed", "up_for_retry", "upstream_failed"}


def run_demo(inherited: Mapping[str, str], state: StateDirectory) -> int:
    """Run the DAG for the current hour and print the summary. Return the exit code."""
    progress = Progress(sys.stdout)
    with running_session(inherited, state, progress) as session:
        with exclusive_lock(
            state.root / "demo.lock",
            waiting=lambda: progress.done("waiting for another `make demo` in this folder"),
        ):
            progress.done(f"airflow dags test {DAG_ID}:")
            _run_dag(session, state.log("demo-run"), progress)
        with running_api(session.environment, free_port(), state.log("api")) as api:
            progress.done(f"API started at {api.address}")
            rows, attribution = _get(f"{api.address}/weather/summary")
            print(f"\nGET /weather/summary, the first {min(ROWS, len(rows))} rows:\n")
            print(
                tabulate(
                    rows[:ROWS], headers="keys", tablefmt="plain", floatfmt=".1f", missingval="-"
                )
            )
            print(f"\n{attribution}\n")
    progress.done("nothing is left running")
    return 0


def _get(address: str) -> tuple[list[dict[str, object]], str]:
    """Return the rows and the attribution of a response."""
    response = httpx.get(address, timeout=RESPONSE_SECONDS, trust_env=False)
    if not response.is_success:
        raise StepError(f"GET {address} returned {response.status_code}: {response.text}")
    rows: list[dict[str, object]] = response.json()
    return rows, response.headers["Attribution"]


def _run_dag(session: Session, log: Path, progress: Progress) -> None:
    try:
        run_dag(session.environment, log, lambda line: progress.done(f"  {line}"))
    except StepError:
        # A service that has ended is the cause of the task's failure.
        session.require_running()
        raise


def run_dag(environment: Mapping[str, str], log: Path, done: Callable[[str], None]) -> None:
    """Run the DAG once. Call `done` with a line for each task that ends.

    Raises:
        StepError: a task failed. Airflow's retry, minutes later, is not waited for.
    """
    # FORCE_COLOR, which CI services set, would add escape codes to the log.
    plain = {**environment, "NO_COLOR": "1"}
    arguments = [program("airflow"), "dags", "test", DAG_ID]
    command = Command("airflow dags test", arguments, plain, log)
    parser = LogParser()
    with running(command) as service:
        for line in _follow(log, service.has_ended):
            if ended := parser.read(line, time.monotonic()):
                done(ended)
            if parser.failure:
                raise StepError(f"{parser.failure}; its log: {log}")
        if service.supervisor.returncode:
            raise StepError(f"{command.name} failed; {describe_log(log)}")


@dataclass
class LogParser:
    """Parser of the log of `airflow dags test`, which returns a line for each ended task."""

    failure: str = ""
    _task: str = ""
    _start: float = 0.0
    _error: str = field(default="", repr=False)

    def read(self, line: str, now: float) -> str | None:
        """Parse a line. Return the name, state and seconds of a task that has ended."""
        if start := START.search(line):
            task, index = start.groups()
            self._task = task if index == "-1" else f"{task}[{index}]"
            self._start, self._error = now, ""
        elif (new := NEW_STATE.search(line)) and self._task:
            task, state, self._task = self._task, new[1], ""
            if state in UNSUCCESSFUL:
                self.failure = f"task {task} failed: {self._error or 'see the log'}"
            return f"{task}: {state}, {now - self._start:.1f} s"
        elif not LOG_LINE.match(line) and line.strip():
            # The last line of a traceback is the exception.
            exception = EXCEPTION.fullmatch(line.strip())
            self._error = exception["message"] if exception else line.strip()
        return None


def _follow(path: Path, is_complete: Callable[[], bool]) -> Iterator[str]:
    """Yield the lines of a file that another process writes, until the file is complete."""
    with path.open(errors="replace") as file:
        part = ""
        while True:
            complete = is_complete()
            while piece := file.readline():
                part += piece
                if part.endswith("\n"):
                    yield part
                    part = ""
            if complete:
                return
            time.sleep(POLL_SECONDS)
