"""One run of the DAG by `airflow dags test`, told as it happens."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.processes import Command, describe_log, program, running
from weather.errors import StepError

DAG = "weather_pipeline"
POLL_SECONDS = 0.1

# Lines of Airflow 3.3's log; a task's own output lies between its start and its new state.
START = re.compile(r"\[DAG TEST\] starting task_id=(\S+) map_index=(-?\d+)")
NEW_STATE = re.compile(r" new_state=(\w+)")
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT")
EXCEPTION = re.compile(r"[\w.]+: (?P<message>.+)")

UNSUCCESSFUL = {"failed", "up_for_retry", "upstream_failed"}


@dataclass
class Transcript:
    """What `airflow dags test` has told so far: feed it lines, it gives a line for each task."""

    failure: str = ""
    _task: str = ""
    _began: float = 0.0
    _last_words: str = field(default="", repr=False)

    def read(self, line: str, now: float) -> str | None:
        """Take a line that came at `now` seconds; what a user wants to know of it, if anything."""
        if start := START.search(line):
            task, index = start.groups()
            self._task = task if index == "-1" else f"{task}[{index}]"
            self._began, self._last_words = now, ""
        elif (new := NEW_STATE.search(line)) and self._task:
            task, state, self._task = self._task, new[1], ""
            if state in UNSUCCESSFUL:
                self.failure = f"task {task} failed: {self._last_words or 'see the log'}"
            return f"{task}: {state}, {now - self._began:.1f} s"
        elif not LOG_LINE.match(line) and line.strip():
            # Of a traceback, the last line that is no line of the log is the exception itself.
            exception = EXCEPTION.fullmatch(line.strip())
            self._last_words = exception["message"] if exception else line.strip()
        return None


def run_dag(environment: Mapping[str, str], log: Path, done: Callable[[str], None]) -> None:
    """Run the DAG once for the present hour; `done` is told of each task that ends.

    StepError is raised with a task's last words as soon as one fails: its next try, which
    Airflow would wait minutes for, is for a schedule and not for a user who looks on.
    """
    # FORCE_COLOR, which CI services set, would color the words that are looked for.
    plain = {**environment, "NO_COLOR": "1"}
    command = Command("airflow dags test", [program("airflow"), "dags", "test", DAG], plain, log)
    transcript = Transcript()
    with running(command) as service:
        for line in _lines(log, service.has_ended):
            if news := transcript.read(line, time.monotonic()):
                done(news)
            if transcript.failure:
                break
        else:
            if service.keeper.returncode == 0:
                return
    raise StepError(
        f"{transcript.failure}; its log: {log}"
        if transcript.failure
        else f"{command.name} failed; {describe_log(log)}"
    )


def _lines(path: Path, is_complete: Callable[[], bool]) -> Iterator[str]:
    """The lines of a file that is being written, as they come, until it is complete."""
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
