"""The rendered manifests are valid, complete and follow the rules for pods."""

import re
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
from orchestration.pod_spec import SECRETS

from tests.chart.conftest import EVERYTHING, EXTERNAL, TAG, Render
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
"""Secrets that users create for an installation with external stores."""


def test_every_object_is_valid_for_kubernetes(manifests: list[Manifest]) -> None:
    assert manifests
    for manifest in manifests:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_every_pod_follows_the_pod_rules(manifests: list[Manifest]) -> None:
    assert breaches(manifests) == []


def test_pods_of_all_components_are_found(render: Render) -> None:
    names = {each.place.partition("-")[2].split("-")[0] for each in pods_of(render(EVERYTHING))}
    assert names == {"api", "store", "postgres", "prepare", "replay"}


def test_object_names_are_unique(manifests: list[Manifest]) -> None:
    keys = [(m["kind"], m["metadata"]["namespace"], m["metadata"]["name"]) for m in manifests]
    assert len(set(keys)) == len(keys)
    assert all(name.startswith("weather") for _, _, name in keys)


def test_the_projects_images_have_the_same_tag(render: Render) -> None:
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


def test_references_of_pods_exist(manifests: list[Manifest]) -> None:
    """The chart or its user creates the ConfigMaps, Secrets and service accounts."""
    there = {(each["kind"], each["metadata"]["name"]) for each in manifests}
    by_hand = {("Secret", name) for name in MADE_BY_HAND}
    for pod in pods_of(manifests):
        assert set(references(pod.spec)) <= there | by_hand, pod.place
        assert ("ServiceAccount", pod.spec["serviceAccountName"]) in there


def references(spec: Any) -> Iterator[tuple[str, str]]:
    """Yield (kind, name) of each ConfigMap and Secret in a pod's spec."""
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


def test_selectors_match_only_their_own_component(render: Render) -> None:
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


def test_services_have_the_expected_ports(render: Render) -> None:
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


def test_external_stores_need_no_stateful_set(render: Render) -> None:
    manifests = render(EXTERNAL)
    assert of_kind(manifests, "StatefulSet") == {}
    assert set(of_kind(manifests, "Service")) == {"weather-api"}
    assert not set(of_kind(manifests, "Secret")) & MADE_BY_HAND
    [job] = of_kind(manifests, "Job").values()
    assert "initContainers" not in job["spec"]["template"]["spec"]


@pytest.mark.parametrize("part", ["minio", "postgres"])
def test_each_stateful_set_can_be_disabled(render: Render, part: str) -> None:
    left = set(of_kind(render({part: {"enabled": False}}), "StatefulSet"))
    assert left == {"weather-postgres" if part == "minio" else "weather-store"}


def test_external_stores_need_exactly_these_secrets(render: Render) -> None:
    manifests = render(EXTERNAL)
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


def test_the_example_creates_and_keeps_each_secret() -> None:
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


def test_an_uninstall_keeps_the_volumes(render: Render) -> None:
    """A claim from a template outlives its StatefulSet by default."""
    for workload in of_kind(render(), "StatefulSet").values():
        assert workload["spec"]["volumeClaimTemplates"]
        assert "persistentVolumeClaimRetentionPolicy" not in workload["spec"]
    assert of_kind(render(), "PersistentVolumeClaim") == {}


def test_a_release_has_no_hooks_and_no_kept_objects(manifests: list[Manifest]) -> None:
    """Hooks can deadlock with `--wait`, and kept objects outlive an uninstall."""
    for manifest in manifests:
        annotations = manifest["metadata"].get("annotations") or {}
        assert not any(name.startswith("helm.sh/") for name in annotations)
