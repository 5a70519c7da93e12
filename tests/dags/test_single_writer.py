"""Runs take turns in the lake, in whatever order Airflow starts, tries and ends them."""

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
    """Runs as Airflow's database has them: each has the state of its first task."""

    first_tasks: dict[int, str | None] = field(default_factory=dict)
    """None for a run that has begun just now; a run that has ended is not there."""

    def get_ti_count(self, dag_id: str, *, task_ids: list[str], map_index: int, states: Any) -> int:
        assert (dag_id, task_ids, map_index) == ("weather_pipeline", ["ingest"], 0)
        return sum(state in states for state in self.first_tasks.values())

    def get_dr_count(self, dag_id: str, *, states: list[str]) -> int:
        assert (dag_id, states) == ("weather_pipeline", ["running"])
        return len(self.first_tasks)

    def task(self, map_index: int = 0) -> Any:
        """A first task that asks."""
        return SimpleNamespace(
            dag_id="weather_pipeline",
            task_id="ingest",
            map_index=map_index,
            get_ti_count=self.get_ti_count,
            get_dr_count=self.get_dr_count,
        )

    def may_write(self) -> bool:
        """Whether a first task that asks now goes on."""
        return not other_run_writes(self.task())

    @property
    def writing(self) -> list[int]:
        """The runs whose first task has ended and which have not."""
        return [run for run, state in self.first_tasks.items() if state == "success"]


@given(st.lists(st.tuples(st.integers(0, RUNS - 1), st.booleans()), max_size=80))
def test_never_do_two_runs_write_and_one_that_waits_gets_its_turn(
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

    # Whatever has happened: once the others have ended or come to the door, the next one may.
    for run in world.writing:
        del tasks[run]
    tasks.update(dict.fromkeys(range(RUNS), "up_for_reschedule"))
    tasks[0] = "running"
    assert world.may_write()


@pytest.mark.parametrize("state", WAITING_STATES)
def test_a_run_at_the_door_holds_no_other_back(state: str) -> None:
    assert World({0: "running", 1: state}).may_write()


@pytest.mark.parametrize("state", [None, "success", "failed", "skipped"])
def test_a_run_that_is_past_the_door_or_about_to_come_to_it_is_waited_for(
    state: str | None,
) -> None:
    assert not World({0: "running", 1: state}).may_write()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(single_writer, "PATIENCE", timedelta(0))
    return monkeypatch


BUSY = World({0: "running", 1: "success"})


def test_who_has_waited_long_lets_others_first_tasks_run(impatient: pytest.MonkeyPatch) -> None:
    with pytest.raises(AirflowRescheduleException) as put_off:
        wait_for_other_runs({"ti": BUSY.task()})
    assert put_off.value.reschedule_date is not None


def test_who_waits_goes_on_when_the_other_run_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(dict(BUSY.first_tasks))
    looks = []

    def end_of_the_other(seconds: float) -> None:
        looks.append(seconds)
        del world.first_tasks[1]

    monkeypatch.setattr("time.sleep", end_of_the_other)
    wait_for_other_runs({"ti": world.task()})
    assert looks == [single_writer.SECONDS_BETWEEN_LOOKS]


def test_only_the_first_of_the_mapped_tasks_asks(impatient: pytest.MonkeyPatch) -> None:
    wait_for_other_runs({"ti": BUSY.task(map_index=1)})


def test_dags_test_waits_for_nobody(impatient: pytest.MonkeyPatch) -> None:
    impatient.setattr("sys.argv", ["airflow", "dags", "test", "weather_pipeline"])
    wait_for_other_runs({"ti": BUSY.task()})
