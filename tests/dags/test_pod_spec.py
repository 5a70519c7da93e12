"""Each task's pod, compared with its golden file and checked by the pod rules."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.plain_secrets import plain_secrets
from tests.pod_rules import breaches

InAirflow = Callable[..., str]

GOLDEN = Path(__file__).parent / "pod_specs"

PODS = """
from kubernetes.client import ApiClient
def pod(task_id):
    operator = dag.get_task(task_id)
    if task_id == 'ingest':
        operator = operator.unmap({'arguments': ['--shard', '0', '--shards', '1']})
    if hasattr(operator, 'build_kube_args'):
        operator.build_kube_args({}, operator.add_cmd_flags())
    made = ApiClient().sanitize_for_serialization(operator.build_pod_request_obj(dry_run=True))
    made['metadata']['name'] = made['metadata']['name'].rsplit('-', 1)[0]
    return made
tasks = {t.task_id for t in dag.tasks if hasattr(t, 'build_pod_request_obj')} | {'ingest'}
print(json.dumps({task: pod(task) for task in tasks}))
"""

TASKS = {
    "ingest",
    "models.stg_weather",
    "models.rejected_weather",
    "models.daily_weather_stats",
    "publish",
    "upkeep",
}
ALL_MODELS = "models.dbt_producer_watcher"


@pytest.fixture(scope="module")
def pods(in_airflow: InAirflow) -> dict[str, Any]:
    """Each task's pod, as the operator sends it."""
    made: dict[str, Any] = json.loads(
        in_airflow(PODS, WEATHER_RUNTIME="kubernetes", WEATHER_IMAGE_TAG="abc123")
    )
    return made


@pytest.fixture(scope="module")
def watcher_pods(in_airflow: InAirflow) -> dict[str, Any]:
    """Each task's pod when a shared pod builds all models."""
    made: dict[str, Any] = json.loads(
        in_airflow(
            PODS,
            WEATHER_RUNTIME="kubernetes",
            WEATHER_IMAGE_TAG="abc123",
            WEATHER_DBT_PODS="watcher",
        )
    )
    return made


def golden(task: str) -> dict[str, Any]:
    """Read a golden file. After an intended change, copy the pod from the failure's message."""
    pod: dict[str, Any] = yaml.safe_load((GOLDEN / f"{task}.yaml").read_text(encoding="utf-8"))
    return pod


def test_every_step_is_a_pod(pods: dict[str, Any]) -> None:
    assert set(pods) == TASKS


@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_pod_equals_its_golden_file(pods: dict[str, Any], task: str) -> None:
    assert pods[task] == golden(task), yaml.safe_dump(pods[task])


def test_the_shared_pod_changes_no_other_pod(watcher_pods: dict[str, Any]) -> None:
    assert watcher_pods.keys() == TASKS | {ALL_MODELS}
    for task, pod in watcher_pods.items():
        assert pod == golden(task), yaml.safe_dump(pod)


def test_pods_comply_with_the_policies(watcher_pods: dict[str, Any]) -> None:
    made = list(watcher_pods.values())
    assert breaches(made) == []
    assert plain_secrets(made) == []


@pytest.mark.parametrize("task", sorted(TASKS | {ALL_MODELS}))
def test_a_pod_has_a_deadline_and_never_restarts(watcher_pods: dict[str, Any], task: str) -> None:
    spec = watcher_pods[task]["spec"]
    assert 0 < spec["activeDeadlineSeconds"] <= 30 * 60
    assert spec["terminationGracePeriodSeconds"] < 30
    assert spec["restartPolicy"] == "Never"


def test_a_pod_has_labels_of_its_step_and_shard(watcher_pods: dict[str, Any]) -> None:
    for task, pod in watcher_pods.items():
        labels = pod["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "weather-pipeline"
        assert labels["weather/step"] == ("ingest" if task == "ingest" else "dbt")
    assert watcher_pods["ingest"]["metadata"]["labels"]["weather/shard"] == "{{ ti.map_index }}"


def test_a_step_gets_only_the_secrets_that_it_needs(pods: dict[str, Any]) -> None:
    def secrets(task: str) -> list[tuple[str, bool]]:
        [container] = pods[task]["spec"]["containers"]
        given = [each["secretRef"] for each in container["envFrom"] if "secretRef" in each]
        return [(secret["name"], secret.get("optional", False)) for secret in given]

    dbt = [("weather-store-dbt", False), ("weather-lake-dbt", False)]
    assert {task: secrets(task) for task in TASKS} == {
        **dict.fromkeys(TASKS, dbt),
        "ingest": [("weather-store-ingest", False), ("weather-source", True)],
    }


def test_a_task_timeout_exceeds_the_pods_deadline(in_airflow: InAirflow) -> None:
    printed = in_airflow(
        "task = dag.get_task('publish')\n"
        "seconds = task.active_deadline_seconds + 2 * task.startup_timeout_seconds\n"
        "print(json.dumps([task.execution_timeout.total_seconds(), seconds]))",
        WEATHER_RUNTIME="kubernetes",
        WEATHER_IMAGE_TAG="abc123",
    )
    timeout, longest = json.loads(printed)
    assert timeout >= longest
