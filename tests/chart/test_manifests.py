"""The rendered manifests are valid, complete and follow the rules for pods."""

import re
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
from orchestration.pod_spec import SECRETS

from tests.chart.conftest import EVERYTHING, OUTSIDE, TAG, Render
from tests.chart.helm import CHART, KUBERNETES, of_kind
from tests.pod_rules import Manifest, breaches, pods_of

MADE_BY_HAND = {
    "weather-store-ingest",
    "weather-store-dbt",
    "weather-store-api",
    "weather-lake-dbt",
    "weather-lake-api",
    "weather-airflow-metadata",
    "weather-airflow-logs",
}
"""The Secrets that an installation with outside stores needs of its user."""


def test_kubernetes_knows_every_field(manifests: list[Manifest]) -> None:
    assert manifests
    for manifest in manifests:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_every_pod_keeps_the_rules(manifests: list[Manifest]) -> None:
    assert breaches(manifests) == []


def test_every_object_is_checked(render: Render) -> None:
    names = {each.place.partition("-")[2].split("-")[0] for each in pods_of(render(EVERYTHING))}
    assert names == {"api", "store", "postgres", "prepare", "replay"}


def test_names_are_unique(manifests: list[Manifest]) -> None:
    keys = [(m["kind"], m["metadata"]["namespace"], m["metadata"]["name"]) for m in manifests]
    assert len(set(keys)) == len(keys)
    assert all(name.startswith("weather") for _, _, name in keys)


def test_the_project_s_images_have_the_one_tag(render: Render) -> None:
    images = {
        container["image"]
        for pod in pods_of(render(EVERYTHING, "--set=image.prefix=registry.example.org/weather-"))
        for _, container in pod.containers
    }
    assert images == {
        *(f"registry.example.org/weather-{name}:{TAG}" for name in ("api", "dbt", "store-setup")),
        f"registry.example.org/weather-replay:{TAG}",
        "postgres:17",
        "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z",
    }


def test_pods_find_what_they_refer_to(manifests: list[Manifest]) -> None:
    """ConfigMaps, Secrets and service accounts: made by the chart, or by its user."""
    there = {(each["kind"], each["metadata"]["name"]) for each in manifests}
    by_hand = {("Secret", name) for name in MADE_BY_HAND}
    for pod in pods_of(manifests):
        assert set(references(pod.spec)) <= there | by_hand, pod.place
        assert ("ServiceAccount", pod.spec["serviceAccountName"]) in there


def references(spec: Any) -> Iterator[tuple[str, str]]:
    """(kind, name) of each ConfigMap and Secret that is named below."""
    if isinstance(spec, list):
        for each in spec:
            yield from references(each)
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key in {"configMapRef", "configMapKeyRef", "configMap"}:
                yield "ConfigMap", value["name"]
            elif key in {"secretRef", "secretKeyRef", "secret"}:
                yield "Secret", value.get("name") or value["secretName"]
            else:
                yield from references(value)


def test_selectors_choose_the_pods_of_their_own_component(render: Render) -> None:
    manifests = render(EVERYTHING)
    workloads = {**of_kind(manifests, "Deployment"), **of_kind(manifests, "StatefulSet")}
    labels = {
        name: each["spec"]["template"]["metadata"]["labels"] for name, each in workloads.items()
    }
    assert {
        name: each["spec"]["selector"]["matchLabels"] for name, each in workloads.items()
    } == labels
    for name, service in of_kind(manifests, "Service").items():
        selector = service["spec"]["selector"]
        assert [pod for pod, own in labels.items() if selector.items() <= own.items()] == [name]


def test_services_have_the_ports_that_others_rely_on(render: Render) -> None:
    ports = {
        name: {(port["name"], port["port"]) for port in service["spec"]["ports"]}
        for name, service in of_kind(render({"replay": {"enabled": True}}), "Service").items()
    }
    assert ports == {
        "weather-api": {("http", 80)},
        "weather-store": {("s3", 9000), ("console", 9001)},
        "weather-postgres": {("postgres", 5432)},
        "weather-replay": {("http", 8000)},
    }


def test_outside_stores_leave_nothing_stateful_and_no_password(render: Render) -> None:
    manifests = render(OUTSIDE)
    assert of_kind(manifests, "StatefulSet") == {}
    assert set(of_kind(manifests, "Service")) == {"weather-api"}
    assert not set(of_kind(manifests, "Secret")) & MADE_BY_HAND
    [job] = of_kind(manifests, "Job").values()
    assert "initContainers" not in job["spec"]["template"]["spec"]


@pytest.mark.parametrize("part", ["minio", "postgres"])
def test_each_stateful_part_can_be_left_out_by_itself(render: Render, part: str) -> None:
    left = set(of_kind(render({part: {"enabled": False}}), "StatefulSet"))
    assert left == {"weather-postgres" if part == "minio" else "weather-store"}


def test_what_outside_stores_need_is_what_the_chart_no_longer_makes(render: Render) -> None:
    manifests = render(OUTSIDE)
    made = set(of_kind(manifests, "Secret"))
    of_pods = {
        name
        for pod in pods_of(manifests)
        for kind, name in references(pod.spec)
        if kind == "Secret"
    }
    of_steps = {name for names in SECRETS.values() for name in names}
    of_airflow = {
        name for name in of_kind(render(), "Secret") if name.startswith("weather-airflow-")
    }
    assert (of_pods | of_steps | of_airflow) - made == MADE_BY_HAND


def test_the_example_of_outside_stores_makes_each_secret_and_keeps_it_from_helm() -> None:
    text = (CHART / "examples" / "outside-stores.yaml").read_text(encoding="utf-8")
    [users] = re.findall(r"for user in (.*); do", text)
    made = {
        name.replace("$user", user)
        for name in re.findall(r"create secret generic (\S+)", text)
        for user in users.split()
    }
    assert made == MADE_BY_HAND
    commands = text.replace("\\\n#", "")
    kept = re.findall(r"annotate secret (.*) helm\.sh/resource-policy=keep", commands)
    assert {name for names in kept for name in names.split()} == MADE_BY_HAND


def test_uninstalling_leaves_the_volumes(render: Render) -> None:
    """A claim made of a template outlives its StatefulSet, unless that says otherwise."""
    for workload in of_kind(render(), "StatefulSet").values():
        assert workload["spec"]["volumeClaimTemplates"]
        assert "persistentVolumeClaimRetentionPolicy" not in workload["spec"]
    assert of_kind(render(), "PersistentVolumeClaim") == {}


def test_a_release_is_plain(manifests: list[Manifest]) -> None:
    """No hooks, which `--wait` can deadlock on, and nothing that outlives an uninstall."""
    for manifest in manifests:
        annotations = manifest["metadata"].get("annotations") or {}
        assert not any(name.startswith("helm.sh/") for name in annotations)
