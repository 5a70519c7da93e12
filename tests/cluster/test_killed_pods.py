"""A run succeeds without help after pods are killed during it, and each hour is stored once."""

from collections.abc import Iterator

import pytest
from kubernetes import client

from tests.cluster.connection import is_ready, is_running
from tests.cluster.held_lake import held_at_work
from tests.cluster.namespaces import AIRFLOW, WEATHER
from tests.cluster.pod_watch import DELETED, PodWatch, of_task, running
from tests.cluster.system import System
from tests.cluster.waiting import wait_for

SECONDS_TO_RUN = 180
SECONDS_TO_BE_REPLACED = 120

KILLED = {137, 143}
"""Exit codes after SIGKILL and SIGTERM."""


@pytest.fixture(autouse=True)
def one_fault_at_a_time(system: System) -> Iterator[None]:
    """Start each test on an idle system. Remove the test's faults and failed pods afterwards."""
    system.settle()
    yield
    system.set_faults("")
    system.remove_failed_steps()


def test_ingest_is_killed_during_a_request_to_the_source(system: System, pods: PodWatch) -> None:
    system.set_faults("hang*1")
    requests_before = system.requests_to_source()
    run_id = system.trigger("ingest-killed")
    step = pods.await_event(
        "the pod of ingest runs", running(of_task(WEATHER, run_id, "ingest")), SECONDS_TO_RUN
    ).pod
    wait_for(
        "ingest sends a request",
        lambda: system.requests_to_source() > requests_before,
        SECONDS_TO_RUN,
        system.cluster.picture,
    )
    system.cluster.kill(step)
    assert_killed_at_work(pods, step)
    assert_run_again(system, pods, run_id, "ingest")


def test_a_dbt_pod_is_killed(system: System, pods: PodWatch) -> None:
    run_id = system.trigger("dbt-killed")
    with held_at_work(system, pods, run_id, "models.stg_weather") as step:
        system.cluster.kill(step)
        assert_killed_at_work(pods, step)
    assert_run_again(system, pods, run_id, "models.stg_weather")


def test_a_worker_pod_is_killed_while_its_step_runs(system: System, pods: PodWatch) -> None:
    task_id = "models.daily_weather_stats"
    run_id = system.trigger("worker-killed")
    with held_at_work(system, pods, run_id, task_id):
        [worker] = system.cluster.pods(AIRFLOW, f"run_id={run_id},task_id={task_id}")
        system.cluster.kill(worker)
        assert_killed_at_work(pods, worker)
    system.await_success(run_id)
    assert system.tries(run_id, task_id) == 2
    system.assert_nothing_lost_nothing_doubled()


@pytest.mark.parametrize(
    ("namespace", "service", "task_id"),
    [
        (AIRFLOW, "airflow-scheduler", "models.stg_weather"),
        (WEATHER, "weather-store", "models.stg_weather"),
        (WEATHER, "weather-postgres", "models.daily_weather_stats"),
    ],
)
def test_a_service_is_killed_while_a_step_runs(
    system: System, pods: PodWatch, namespace: str, service: str, task_id: str
) -> None:
    killed = pods_of(system, namespace, service)
    assert killed
    run_id = system.trigger(f"{service}-killed")
    with held_at_work(system, pods, run_id, task_id) as step:
        for pod in killed:
            system.cluster.kill(pod)
        for pod in killed:
            await_gone(pods, pod)
        still_there = system.cluster.core.read_namespaced_pod(step.metadata.name, WEATHER)
        assert is_running(still_there), f"{task_id} had ended before {service} was gone"

    before = {pod.metadata.uid for pod in killed}
    wait_for(
        f"{service} is ready again",
        lambda: (
            {pod.metadata.uid for pod in pods_of(system, namespace, service) if is_ready(pod)}
            - before
        ),
        SECONDS_TO_BE_REPLACED,
        system.cluster.picture,
    )
    system.await_success(run_id)
    system.assert_nothing_lost_nothing_doubled()


def pods_of(system: System, namespace: str, service: str) -> list[client.V1Pod]:
    """Return the pods of a deployment or stateful set, by their names."""
    return [
        pod for pod in system.cluster.pods(namespace) if pod.metadata.name.startswith(f"{service}-")
    ]


def await_gone(pods: PodWatch, killed: client.V1Pod) -> client.V1Pod:
    """Wait until the pod is deleted, and return its last state."""
    uid = killed.metadata.uid
    return pods.await_event(
        f"pod {killed.metadata.name} is gone",
        lambda each: each.uid == uid and each.kind == DELETED,
        SECONDS_TO_BE_REPLACED,
    ).pod


def assert_killed_at_work(pods: PodWatch, killed: client.V1Pod) -> None:
    """Assert that the pod was killed before its program had ended."""
    ends = [each.state.terminated for each in await_gone(pods, killed).status.container_statuses]
    assert all(end and end.exit_code in KILLED for end in ends), ends


def assert_run_again(system: System, pods: PodWatch, run_id: str, task_id: str) -> None:
    """Assert that a second pod replaced the killed pod and the run succeeded."""
    system.await_success(run_id)
    assert system.tries(run_id, task_id) == 2
    steps = pods.events(of_task(WEATHER, run_id, task_id))
    assert len({each.uid for each in steps}) == 2
    system.assert_nothing_lost_nothing_doubled()
