"""The phases of each task on the critical path of a run on a cluster."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SCHEDULING = "scheduling"
"""Time from the end of the previous task to the creation of the worker pod."""

WORKER_START = "worker pod start"
"""Time from the worker pod's creation until the worker container runs."""

IMPORT = "import"
"""Time from the worker's start to the step pod's creation: Python imports Airflow and the DAG."""

STEP_START = "step pod start"
"""Time from the step pod's creation until the step's container runs."""

WORK = "work"
"""Time of the step's container, or of the task in the worker if the task has no step pod."""

CLOSING = "closing"
"""Time from the step's end to the task's end: the pod is deleted, the log uploaded."""

PHASES = (SCHEDULING, WORKER_START, IMPORT, STEP_START, WORK, CLOSING)


@dataclass(frozen=True)
class StepTimes:
    """Times of a step's pod, in seconds since the epoch."""

    created: float
    running: float
    ended: float


@dataclass(frozen=True)
class TaskTimes:
    """Times of a task and of its worker pod, in seconds since the epoch."""

    worker_created: float
    worker_running: float
    ended: float
    step: StepTimes | None

    def phases(self, before: float, until: float) -> dict[str, float]:
        """Return the seconds of each phase.

        Args:
            before: end of the previous task on the path.
            until: start of the next one; later seconds do not count.
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


def critical_path(
    last: str, upstream: Mapping[str, Iterable[str]], times: Mapping[str, TaskTimes]
) -> list[str]:
    """Return the critical path to the last task, in order.

    Args:
        last: the last task.
        upstream: the upstream tasks of each task.
        times: the tasks with a worker; others take no time.
    """
    path = [last]
    while before := _with_times(path[0], upstream, times):
        path.insert(0, max(before, key=lambda task: times[task].ended))
    return path


def phases_of_path(
    path: Sequence[str], times: Mapping[str, TaskTimes], triggered: float
) -> dict[str, dict[str, float]]:
    """Return the seconds of each phase of each task on the path, since the trigger."""
    phases = {}
    before = triggered
    for task, later in zip(path, [*path[1:], None], strict=True):
        # A task can start while Airflow still closes the previous one.
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
