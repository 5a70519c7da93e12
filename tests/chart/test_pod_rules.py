"""The rules for pods and passwords: a valid pod passes, and each breach is found."""

import base64
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.plain_secrets import plain_secrets, weak_secrets
from tests.pod_rules import DISK, RULES, Manifest, breaches, pods_of

GOOD: Manifest = {
    "kind": "Deployment",
    "metadata": {"name": "good"},
    "spec": {
        "template": {
            "spec": {
                "automountServiceAccountToken": False,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 10001,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "name": "main",
                        "image": "registry.example.org:5000/good:1.2",
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "resources": {
                            "requests": {"cpu": "10m", "memory": "16Mi", DISK: "1Mi"},
                            "limits": {"cpu": "1", "memory": "64Mi", DISK: "1Gi"},
                        },
                    }
                ],
                "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "64Mi"}}],
            }
        }
    },
}

MAIN = "Deployment/good/main"
POD = "Deployment/good"

BREAKS: list[tuple[str, str, Callable[[Manifest, Manifest], Any]]] = [
    ("resources", MAIN, lambda pod, main: main["resources"].pop("limits")),
    ("resources", MAIN, lambda pod, main: main["resources"]["requests"].pop("memory")),
    ("resources", MAIN, lambda pod, main: main["resources"]["limits"].pop(DISK)),
    ("bounded_scratch", POD, lambda pod, main: pod["volumes"][0].update(emptyDir={})),
    ("bounded_scratch", POD, lambda pod, main: pod["volumes"][0].update(emptyDir=None)),
    (
        "bounded_scratch",
        POD,
        lambda pod, main: pod["volumes"][0].update(emptyDir={"sizeLimit": "2Gi"}),
    ),
    ("non_root", MAIN, lambda pod, main: pod["securityContext"].pop("runAsNonRoot")),
    ("non_root", MAIN, lambda pod, main: main["securityContext"].update(runAsNonRoot=False)),
    ("non_root", MAIN, lambda pod, main: main["securityContext"].update(runAsUser=0)),
    ("seccomp", MAIN, lambda pod, main: pod["securityContext"].pop("seccompProfile")),
    (
        "seccomp",
        MAIN,
        lambda pod, main: main["securityContext"].update(seccompProfile={"type": "Unconfined"}),
    ),
    ("privileges", MAIN, lambda pod, main: main["securityContext"].pop("capabilities")),
    (
        "privileges",
        MAIN,
        lambda pod, main: main["securityContext"].pop("allowPrivilegeEscalation"),
    ),
    ("privileges", MAIN, lambda pod, main: main["securityContext"].update(privileged=True)),
    (
        "privileges",
        MAIN,
        lambda pod, main: main["securityContext"]["capabilities"].update(add=["NET_RAW"]),
    ),
    (
        "read_only_root",
        MAIN,
        lambda pod, main: main["securityContext"].pop("readOnlyRootFilesystem"),
    ),
    ("pinned_image", MAIN, lambda pod, main: main.update(image="registry.example.org:5000/good")),
    ("pinned_image", MAIN, lambda pod, main: main.update(image="good:latest")),
    ("no_token", POD, lambda pod, main: pod.pop("automountServiceAccountToken")),
    ("own_node", POD, lambda pod, main: pod.update(hostNetwork=True)),
    (
        "own_node",
        POD,
        lambda pod, main: pod["volumes"].append({"name": "node", "hostPath": {"path": "/"}}),
    ),
    ("own_node", MAIN, lambda pod, main: main.update(ports=[{"hostPort": 80}])),
]


def test_a_valid_pod_has_no_breach() -> None:
    assert breaches([GOOD]) == []


def test_each_rule_has_a_test_case() -> None:
    assert {rule for rule, _, _ in BREAKS} == set(RULES)


@pytest.mark.parametrize(("rule", "place", "break_it"), BREAKS)
def test_a_breach_is_reported_with_its_place(
    rule: str, place: str, break_it: Callable[[Manifest, Manifest], Any]
) -> None:
    bad = deepcopy(GOOD)
    spec = bad["spec"]["template"]["spec"]
    break_it(spec, spec["containers"][0])
    [breach] = breaches([bad])
    assert breach.startswith(f"{place}: ")
    assert breach.endswith(f"({rule})")
    assert breaches([bad], {(rule, place): "a reason"}) == []


def test_an_unused_exception_is_reported() -> None:
    assert breaches([GOOD], {("no_token", POD): "a reason"}) == [
        f"{POD}: needs no exception from no_token any more"
    ]


def test_init_containers_and_cron_jobs_are_checked() -> None:
    spec = deepcopy(GOOD["spec"]["template"]["spec"])
    spec["initContainers"] = [{**spec["containers"][0], "name": "first", "image": "first"}]
    cron_job = {
        "kind": "CronJob",
        "metadata": {"name": "nightly"},
        "spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}},
    }
    pod = {"kind": "Pod", "metadata": {"name": "single"}, "spec": spec}
    assert [each.place for each in pods_of([cron_job, pod])] == ["CronJob/nightly", "Pod/single"]
    assert len(breaches([cron_job, pod])) == 2


PASSWORD = "correct-horse-battery-staple"


def pod_with(**container: Any) -> Manifest:
    return {
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", **container}]},
    }


def config_map(text: str) -> Manifest:
    return {"kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"file": text}}


SECRET: Manifest = {
    "kind": "Secret",
    "metadata": {"name": "s"},
    "data": {"PASSWORD": base64.b64encode(PASSWORD.encode()).decode()},
}


@pytest.mark.parametrize(
    "shown",
    [
        pod_with(env=[{"name": "DB_PASSWORD", "value": "hunter2"}]),
        pod_with(env=[{"name": "AWS_SECRET_ACCESS_KEY", "value": "hunter2"}]),
        pod_with(args=["--database=postgresql://user:hunter2@host/db"]),
        config_map("api_key = hunter2\n"),
        config_map("[api]\n  secret_key = hunter2\n"),
        config_map("export PGPASSWORD=hunter2\n"),
        pod_with(args=[f"--say={PASSWORD}"]),
        config_map(f"unsuspicious: {PASSWORD}"),
        config_map(base64.b64encode(PASSWORD.encode()).decode()),
    ],
)
def test_a_plain_password_is_reported_without_its_value(shown: Manifest) -> None:
    [found] = plain_secrets([SECRET, shown])
    assert "hunter2" not in found
    assert PASSWORD not in found


@pytest.mark.parametrize(
    "shown",
    [
        pod_with(env=[{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "s"}}}]),
        pod_with(env=[{"name": "PASSWORD_FILE", "value": "/run/secrets/password"}]),
        pod_with(args=["--database=postgresql://user:$(PASSWORD)@host/db", "http://host:80/a@b"]),
        config_map('psql -v password="$PASSWORD"\nPASSWORD="$1"\nsecret_key =\napi_key: None\n'),
        config_map("ALTER ROLE a PASSWORD :'password';\n"),
    ],
)
def test_a_reference_is_not_a_password(shown: Manifest) -> None:
    assert plain_secrets([SECRET, shown]) == []


@pytest.mark.parametrize("value", ["admin", "minioadmin", "", "0123456789abcde"])
def test_a_weak_password_is_found(value: str) -> None:
    secret = {"kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": value}}
    assert len(weak_secrets([secret])) == 1
    assert weak_secrets([SECRET]) == []
