"""StepPod reattaches, never starts a second pod, deletes old pods and reports exit codes."""

import inspect
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk.exceptions import AirflowException
from kubernetes.client import models as k8s
from orchestration.retry_policy import SIGKILLED, SIGTERMED, StepFailed
from orchestration.step_pod import FAILED_PODS_KEPT, StepPod

from tests.dags.fake_kubernetes import NOW, RUN, Cluster, pod
from tests.upgrades import internals

OLD = NOW - FAILED_PODS_KEPT - timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.step_pod.time.sleep", lambda _: None)


@pytest.fixture
def context() -> Any:
    ti = SimpleNamespace(dag_id=RUN["dag_id"], task_id=RUN["task_id"], map_index=-1, try_number=2)
    return {"ti": ti, "run_id": RUN["run_id"], "dag": SimpleNamespace()}


@pytest.fixture
def step() -> StepPod:
    return StepPod(task_id="publish", namespace="weather", on_finish_action="delete_succeeded_pod")


def on(step: StepPod, *pods: k8s.V1Pod) -> Cluster:
    cluster = Cluster(*pods)
    step.__dict__["client"] = cluster
    return cluster


def start(step: StepPod, context: Any) -> str:
    wanted = pod("new", "Pending")
    name: str = step.get_or_create_pod(wanted, context).metadata.name
    return name


def test_the_operator_has_the_internals_that_step_pod_overrides() -> None:
    with internals(
        "apache-airflow-providers-cncf-kubernetes", "10.25.0", "dags/orchestration/step_pod.py"
    ):
        from airflow.providers.cncf.kubernetes.utils.pod_manager import PodManager, PodPhase

        overridden = {
            KubernetesPodOperator.get_or_create_pod: ["self", "pod_request_obj", "context"],
            KubernetesPodOperator.cleanup: ["self", "pod", "remote_pod", "xcom_result", "context"],
            KubernetesPodOperator._get_ti_pod_labels: ["context", "include_try_number"],
            PodManager.container_is_running: ["self", "pod", "container_name"],
            PodManager.delete_pod: ["self", "pod"],
            PodManager.read_pod: ["self", "pod"],
        }
        for method, arguments in overridden.items():
            assert list(inspect.signature(method).parameters)[: len(arguments)] == arguments, method
        assert next(iter(inspect.signature(PodManager.await_pod_completion).parameters)) == "self"
        assert {"Succeeded", "Failed"} == set(PodPhase.terminal_states)
        operator = KubernetesPodOperator(task_id="publish", namespace="weather")
        assert operator._killed is False


def test_a_first_try_starts_a_pod(step: StepPod, context: Any) -> None:
    cluster = on(step, pod("of-another-run", "Running", run_id="before"))
    assert start(step, context) == "new"
    assert cluster.made == [("new", ["of-another-run"])]


def test_a_try_after_a_lost_worker_reattaches_to_its_pod(step: StepPod, context: Any) -> None:
    cluster = on(step, pod("running", "Running"))
    assert start(step, context) == "running"
    assert cluster.made == []


@pytest.mark.parametrize(
    "left",
    [
        pytest.param({"checked": True}, id="its try has failed"),
        pytest.param({"terminating": True}, id="it is being deleted"),
    ],
)
def test_a_new_pod_starts_only_if_no_other_runs(
    step: StepPod, context: Any, left: dict[str, bool]
) -> None:
    cluster = on(step, pod("left", "Running", **left))  # type: ignore[arg-type]
    assert start(step, context) == "new"
    assert cluster.made == [("new", [])]


def test_old_failed_pods_are_deleted(step: StepPod, context: Any) -> None:
    cluster = on(
        step,
        pod("fresh", "Failed", checked=True, run_id="before"),
        pod("old", "Failed", checked=True, run_id="before", made=OLD),
        pod("old-of-another-task", "Failed", checked=True, task_id="upkeep", made=OLD),
        pod("old-but-running", "Running", run_id="before", made=OLD),
    )
    start(step, context)
    cluster.list_namespaced_pod("weather", "dag_id=weather_pipeline")
    assert set(cluster.pods) == {"fresh", "old-of-another-task", "old-but-running"}


@pytest.mark.parametrize(
    ("exit_code", "reported"), [(1, 1), (75, 75), (137, SIGKILLED), (143, SIGTERMED)]
)
def test_a_failed_pods_exit_code_reaches_the_retry_policy(
    step: StepPod, context: Any, exit_code: int, reported: int
) -> None:
    failed = pod("failed", "Failed", exit_code=exit_code)
    cluster = on(step, failed)
    with pytest.raises(StepFailed) as failure:
        step.cleanup(failed, failed, context=context)
    assert failure.value.exit_code == reported
    assert failed.metadata.labels["already_checked"] == "True"
    assert failed.metadata.deletion_timestamp is None
    assert set(cluster.pods) == {"failed"}


def test_a_missing_pod_counts_as_killed(step: StepPod, context: Any) -> None:
    on(step)
    last_seen = pod("gone", "Running")
    with pytest.raises(StepFailed) as failure:
        step.cleanup(last_seen, last_seen, context=context)
    assert failure.value.exit_code == SIGKILLED


def test_a_failed_task_leaves_no_pod_running(step: StepPod, context: Any) -> None:
    running = pod("running", "Running")
    on(step, running)
    with pytest.raises(AirflowException) as failure:
        step.cleanup(running, running, context=context)
    assert not isinstance(failure.value, StepFailed)
    assert running.metadata.deletion_timestamp is not None


def test_a_terminated_task_fails(step: StepPod, context: Any) -> None:
    running = pod("running", "Running")
    on(step, running)
    step.pod = running
    step.on_kill()
    assert running.metadata.deletion_timestamp is not None
    with pytest.raises(StepFailed) as failure:
        step.cleanup(running, running, context=context)
    assert failure.value.exit_code == SIGTERMED


def test_a_succeeded_pod_is_deleted(step: StepPod, context: Any) -> None:
    done = pod("done", "Succeeded", exit_code=0)
    on(step, done)
    step.cleanup(done, done, context=context)
    assert done.metadata.deletion_timestamp is not None


def test_the_status_is_polled_after_the_end_of_the_log(step: StepPod) -> None:
    late = pod("late", "Running")
    late.status.container_statuses[0].state.running = k8s.V1ContainerStateRunning()
    cluster = on(step, late)
    reads = []

    def read(name: str, namespace: str) -> k8s.V1Pod:
        reads.append(name)
        return late if len(reads) < 3 else pod("late", "Succeeded", exit_code=0)

    cluster.read_namespaced_pod = read  # type: ignore[method-assign]
    assert step.pod_manager.container_is_running(late, "base") is False
    assert step.pod_manager.await_pod_completion(late).status.phase == "Succeeded"
    assert len(reads) == 5


def test_the_operator_labels_checked_pods() -> None:
    assert KubernetesPodOperator.POD_CHECKED_KEY == "already_checked"
