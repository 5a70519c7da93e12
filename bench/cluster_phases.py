"""Where a run's seconds go on a cluster: the phases of each task on the longest way to the end."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SCHEDULING = "scheduling"
"""From the end of the task before to the worker's pod being asked for."""

WORKER_START = "worker pod start"
"""Until the worker's container runs."""

IMPORT = "import"
"""Until the step's pod is asked for: Python, Airflow and the DAG are loaded."""

STEP_START = "step pod start"
"""Until the step's container runs."""

WORK = "work"
"""Until the step has ended; in a task without a pod of its own, until the task has."""

CLOSING = "closing"
"""Until the task has ended for Airflow: the pod is deleted, the log kept."""

PHASES = (SCHEDULING, WORKER_START, IMPORT, STEP_START, WORK, CLOSING)


@dataclass(frozen=True)
class StepTimes:
    """When a step's pod was asked for, ran and ended, in seconds since the epoch."""

    created: float
    running: float
    ended: float


@dataclass(frozen=True)
class TaskTimes:
    """When a task's worker pod was asked for and ran, and when the task had ended."""

    worker_created: float
    worker_running: float
    ended: float
    step: StepTimes | None

    def phases(self, before: float, until: float) -> dict[str, float]:
        """The seconds of each phase.

        Args:
            before: when the task could have started.
            until: when nothing that it did mattered to the run any more.
        """
        step = self.step
        ends = [(SCHEDULING, self.worker_created), (WORKER_START, self.worker_running)]
        if step:
            ends += [(IMPORT, step.created), (STEP_START, step.running), (WORK, step.ended)]
        ends.append((CLOSING if step else WORK, self.ended))
        seconds = {}
        for phase, end in ends:
            seconds[phase] = min(end, until) - before
            before = min(end, until)
        return seconds


def longest_way(
    last: str, upstream: Mapping[str, Iterable[str]], times: Mapping[str, TaskTimes]
) -> list[str]:
    """The tasks that the last one had to wait for, in order, itself included.

    Args:
        last: the task at the end.
        upstream: the tasks before each task.
        times: of the tasks that had a worker; what has none takes no time of its own.
    """
    way = [last]
    while before := _with_times(way[0], upstream, times):
        way.insert(0, max(before, key=lambda task: times[task].ended))
    return way


def phases_of_way(
    way: Sequence[str], times: Mapping[str, TaskTimes], triggered: float
) -> dict[str, dict[str, float]]:
    """The seconds of each phase of each task on the way, from the trigger to the last one's end."""
    phases = {}
    before = triggered
    for task, later in zip(way, [*way[1:], None], strict=True):
        # A task may begin before the one it waited for has ended all that it does.
        until = min(times[task].ended, times[later].worker_created if later else math.inf)
        phases[task] = times[task].phases(before, until)
        before = until
    return phases


def _with_times(
    task: str, upstream: Mapping[str, Iterable[str]], times: Mapping[str, TaskTimes]
) -> set[str]:
    found: set[str] = set()
    for before in upstream.get(task, ()):
        found |= {before} if before in times else _with_times(before, upstream, times)
    return found
