"""The pods that the cluster would run, held against kept ones and against the cluster's rules."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

InAirflow = Callable[..., str]

GOLDEN = Path(__file__).parent / "pods"

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


@pytest.fixture(scope="module")
def pods(in_airflow: InAirflow) -> dict[str, Any]:
    """Each task's pod, as the operator would send it."""
    made: dict[str, Any] = json.loads(
        in_airflow(PODS, WEATHER_RUNTIME="kubernetes", WEATHER_IMAGE_TAG="abc123")
    )
    return made


def test_every_step_is_a_pod(pods: dict[str, Any]) -> None:
    assert set(pods) == TASKS


@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_pod_is_the_kept_one(pods: dict[str, Any], task: str) -> None:
    """After a change that is meant, write the pod in the failure's message to the file."""
    kept = yaml.safe_load((GOLDEN / f"{task}.yaml").read_text(encoding="utf-8"))
    assert pods[task] == kept, yaml.safe_dump(pods[task])


@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_pod_keeps_the_rules_of_a_restricted_namespace(pods: dict[str, Any], task: str) -> None:
    spec = pods[task]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    assert spec["automountServiceAccountToken"] is False
    assert spec["activeDeadlineSeconds"] > 0
    assert spec["restartPolicy"] == "Never"
    for container in spec["containers"]:
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} == set(container["resources"]["requests"])
        assert {"cpu", "memory"} == set(container["resources"]["limits"])
        assert container["image"].endswith(":abc123")
        assert not any(
            "SECRET" in each["name"] or "PASSWORD" in each["name"] for each in container["env"]
        )
