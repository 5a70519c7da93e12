"""The job that creates buckets, users and the lake. Each version of the job has another name."""

import json
import shutil
from pathlib import Path

import pytest

from tests.chart.conftest import EXTERNAL, TAG, Render
from tests.chart.helm import CHART, Helm, of_kind
from tests.pod_rules import Manifest

USERS = {"ingest", "dbt", "api", "airflow"}


def job(manifests: list[Manifest]) -> Manifest:
    [made] = of_kind(manifests, "Job").values()
    return made


def name(manifests: list[Manifest]) -> str:
    made: str = job(manifests)["metadata"]["name"]
    return made


def test_an_unchanged_job_keeps_its_name(render: Render) -> None:
    assert name(render()) == name(render())
    assert name(render({}, "--set=api.replicas=3")) == name(render())


@pytest.mark.parametrize(
    "change",
    [
        "--set-string=image.tag=another",
        "--set=store.bucket=another",
        "--set=store.region=eu-west-3",
        "--set=prepare.resources.limits.memory=1Gi",
        "--set=airflow.logsKeptDays=30",
        "--set=minio.enabled=false",
    ],
)
def test_a_changed_job_gets_another_name(render: Render, change: str) -> None:
    assert name(render({}, change)) != name(render())


@pytest.mark.parametrize(
    ("file", "pod"),
    [
        ("s3-policies/api.json", "Job/weather-prepare"),
        ("postgres/roles.sql", "StatefulSet/weather-postgres"),
    ],
)
def test_a_changed_file_changes_only_the_pod_that_reads_it(
    helm: Helm, render: Render, tmp_path: Path, file: str, pod: str
) -> None:
    chart = shutil.copytree(CHART, tmp_path / "chart")
    with (chart / file).open("a", encoding="utf-8") as text:
        text.write("\n")
    before = templates(render())
    after = templates(helm.rendered(chart, "weather", "weather", f"--set-string=image.tag={TAG}"))
    changed = {name for name, _ in before.items() ^ after.items()}
    assert changed
    assert all(name.startswith(pod) for name in changed)


def templates(manifests: list[Manifest]) -> dict[str, str]:
    """Return each pod template as JSON, by the object that has it."""
    return {
        f"{each['kind']}/{each['metadata']['name']}": json.dumps(each["spec"]["template"])
        for each in manifests
        if each["kind"] in {"Deployment", "StatefulSet", "Job"}
    }


def test_the_job_mounts_policies_and_secrets_of_all_users(render: Render) -> None:
    manifests = render()
    volumes = {each["name"]: each for each in job(manifests)["spec"]["template"]["spec"]["volumes"]}
    policies = of_kind(manifests, "ConfigMap")[volumes["policies"]["configMap"]["name"]]["data"]
    assert set(policies) == {f"{user}.json" for user in USERS}
    assert {path.stem for path in (CHART / "s3-policies").iterdir()} == USERS
    paths = {
        (source["secret"]["name"], item["key"], item["path"])
        for source in volumes["users"]["projected"]["sources"]
        for item in source["secret"]["items"]
    }
    assert paths == {
        (f"weather-store-{user}", key, f"{user}/{key}")
        for user in USERS
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    }


def test_buckets_are_created_before_the_lake(render: Render) -> None:
    pod = job(render())["spec"]["template"]["spec"]
    [store] = pod["initContainers"]
    [lake] = pod["containers"]
    assert store["command"] == ["python", "-m", "weather.store_setup"]
    assert store["env"] == [
        {"name": "STORE_BUCKETS", "value": "weather,airflow-logs"},
        {"name": "STORE_KEPT_DAYS", "value": "airflow-logs=90"},
    ]
    assert lake["command"] == ["python", "-m", "weather.lake", "create"]


def test_only_minio_and_the_job_have_roots_password(render: Render) -> None:
    """Only the container that creates the users has the password, not the job's others."""
    with_root = [
        container["name"]
        for manifest in render()
        for container in (
            *(_pod(manifest).get("initContainers") or []),
            *(_pod(manifest).get("containers") or []),
        )
        if {"secretRef": {"name": "weather-store-root"}} in container.get("envFrom", [])
    ]
    assert sorted(with_root) == ["minio", "store"]


def _pod(manifest: Manifest) -> Manifest:
    spec: Manifest = (manifest.get("spec") or {}).get("template", {}).get("spec", {})
    return spec


def test_with_an_external_store_only_the_lake_is_created(render: Render) -> None:
    pod = job(render(EXTERNAL))["spec"]["template"]["spec"]
    assert "initContainers" not in pod
    assert [container["name"] for container in pod["containers"]] == ["lake"]
