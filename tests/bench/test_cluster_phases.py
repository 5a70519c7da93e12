"""Phases of a run on a cluster, computed from the times of tasks and steps."""

from bench.cluster_phases import (
    CLOSING,
    IMPORT,
    SCHEDULING,
    STEP_START,
    WORK,
    WORKER_START,
    StepTimes,
    TaskTimes,
    critical_path,
    phases_of_path,
)

TIMES = {
    "ingest": TaskTimes(2, 4, 20, StepTimes(10, 12, 19)),
    "quick": TaskTimes(21, 22, 30, StepTimes(25, 26, 29)),
    "slow": TaskTimes(22, 23, 40, StepTimes(28, 30, 38)),
    "publish": TaskTimes(43, 45, 60, None),
}
UPSTREAM = {"publish": ["slow", "quick"], "slow": ["arrived"], "arrived": ["ingest"]}


def test_the_critical_path_follows_the_last_ended_task() -> None:
    assert critical_path("publish", UPSTREAM, TIMES) == ["ingest", "slow", "publish"]


def test_phases_add_up_to_the_time_since_the_trigger() -> None:
    phases = phases_of_path(["ingest", "slow", "publish"], TIMES, triggered=1)
    assert phases["ingest"] == {
        SCHEDULING: 1,
        WORKER_START: 2,
        IMPORT: 6,
        STEP_START: 2,
        WORK: 7,
        CLOSING: 1,
    }
    assert phases["publish"] == {SCHEDULING: 3, WORKER_START: 2, WORK: 15}
    assert sum(sum(each.values()) for each in phases.values()) == 59


def test_time_after_the_next_tasks_start_is_not_counted() -> None:
    times = {**TIMES, "publish": TaskTimes(36, 37, 50, None)}
    phases = phases_of_path(["slow", "publish"], times, triggered=20)
    assert phases["slow"][WORK] == 6
    assert phases["slow"][CLOSING] == 0
    assert phases["publish"] == {SCHEDULING: 0, WORKER_START: 1, WORK: 13}
    assert sum(sum(each.values()) for each in phases.values()) == 30
