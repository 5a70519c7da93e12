"""Only one run writes to the lake at a time, in any order of starts and retries."""

from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowRescheduleException
from hypothesis import given
from hypothesis import strategies as st
from orchestration import single_writer
from orchestration.single_writer import WAITING_STATES, other_run_writes, wait_for_other_runs

RUNS = 4


@dataclass
class World:
    """Fake of Airflow's database: active runs with the state of their first task."""

    first_tasks: dict[int, str | None] = field(default_factory=dict)
    """State of the first task by active run. None for a new run."""

    def get_ti_count(self, dag_id: str, *, task_ids: list[str], map_index: int, states: Any) -> int:
        assert (dag_id, task_ids, map_index) == ("weather_pipeline", ["ingest"], 0)
        return sum(state in states for state in self.first_tasks.values())

    def get_dr_count(self, dag_id: str, *, states: list[str]) -> int:
        assert (dag_id, states) == ("weather_pipeline", ["running"])
        return len(self.first_tasks)

    def task(self, map_index: int = 0) -> Any:
        """Return a run's first task."""
        return SimpleNamespace(
            dag_id="weather_pipeline",
            task_id="ingest",
            map_index=map_index,
            get_ti_count=self.get_ti_count,
            get_dr_count=self.get_dr_count,
        )

    def may_write(self) -> bool:
        """Return whether a first task may start now."""
        return not other_run_writes(self.task())

    @property
    def writing(self) -> list[int]:
        """Active runs whose first task has ended."""
        return [run for run, state in self.first_tasks.items() if state == "success"]


@given(st.lists(st.tuples(st.integers(0, RUNS - 1), st.booleans()), max_size=80))
def test_runs_write_one_at_a_time_and_all_start(
    steps: list[tuple[int, bool]],
) -> None:
    world = World()
    tasks = world.first_tasks
    for run, well in steps:
        state = tasks.get(run, "ended")
        if state == "ended":
            tasks[run] = None
        elif state is None:
            tasks[run] = "scheduled"
        elif state in ("scheduled", "up_for_retry", "up_for_reschedule"):
            # Airflow runs one first task at a time.
            if "running" not in tasks.values():
                tasks[run] = "running"
                if not world.may_write():
                    tasks[run] = "up_for_reschedule"
        elif state == "running":
            tasks[run] = "success" if well else "up_for_retry"
        else:
            del tasks[run]
        assert len(world.writing) <= 1

    # When the other runs have ended or wait, the next run may write.
    for run in world.writing:
        del tasks[run]
    tasks.update(dict.fromkeys(range(RUNS), "up_for_reschedule"))
    tasks[0] = "running"
    assert world.may_write()


@pytest.mark.parametrize("state", WAITING_STATES)
def test_a_waiting_run_does_not_block_another(state: str) -> None:
    assert World({0: "running", 1: state}).may_write()


@pytest.mark.parametrize("state", [None, "success", "failed", "skipped"])
def test_a_new_or_writing_run_blocks_others(
    state: str | None,
) -> None:
    assert not World({0: "running", 1: state}).may_write()


@pytest.fixture
def no_slot_time(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(single_writer, "HOLD_SLOT", timedelta(0))
    return monkeypatch


BUSY = World({0: "running", 1: "success"})


def test_a_long_waiting_task_is_rescheduled(
    no_slot_time: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(AirflowRescheduleException) as rescheduled:
        wait_for_other_runs({"ti": BUSY.task()})
    assert rescheduled.value.reschedule_date is not None


def test_a_waiting_task_starts_when_the_other_run_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(dict(BUSY.first_tasks))
    sleeps = []

    def end_other_run(seconds: float) -> None:
        sleeps.append(seconds)
        del world.first_tasks[1]

    monkeypatch.setattr("time.sleep", end_other_run)
    wait_for_other_runs({"ti": world.task()})
    assert sleeps == [single_writer.POLL_SECONDS]


def test_only_the_first_mapped_task_waits(no_slot_time: pytest.MonkeyPatch) -> None:
    wait_for_other_runs({"ti": BUSY.task(map_index=1)})


def test_dags_test_does_not_wait(no_slot_time: pytest.MonkeyPatch) -> None:
    no_slot_time.setattr("sys.argv", ["airflow", "dags", "test", "weather_pipeline"])
    wait_for_other_runs({"ti": BUSY.task()})
