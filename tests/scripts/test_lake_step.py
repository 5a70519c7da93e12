"""`scripts/cluster/lake-step`: its job, and its output after the job has ended."""

import os
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.chart.conftest import TAG
from tests.chart.helm import CHART, KUBERNETES, of_kind, required_helm
from tests.pod_rules import Manifest, breaches, pods_of

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "cluster" / "lake-step"
IMAGE = "registry.example.org/weather-dbt:abc123"
ROOT = {"AWS_ACCESS_KEY_ID": "MINIO_ROOT_USER", "AWS_SECRET_ACCESS_KEY": "MINIO_ROOT_PASSWORD"}
KEYS = {name: name for name in ROOT}

KUBECTL = """#!/bin/bash
case "$*" in
    "config use-context kind-weather") [ -n "$KIND" ] ;;
    *"get secret weather-store-"*) [ "$5" = "$SECRET" ] ;;
    *"get persistentvolumeclaim weather-backup") [ -n "$CLAIM" ] ;;
    *"get jobs "*) echo -n "$IMAGE" ;;
    *"create --filename -") cat > "$MADE/claim.yaml" ;;
    *"apply --filename -") cat > "$MADE/job.yaml" ;;
    *"get job/weather-lake-step "*) [ "$ENDED" = never ] || echo -n 1 ;;
    *"logs job/weather-lake-step") [ "$ENDED" != never ] && echo '{"objects": 4}' ;;
    *"wait job/weather-lake-step --for condition=Complete"*) [ "$ENDED" = well ] ;;
esac
"""
"""Stand-in for kubectl that records the objects it creates."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder of the stand-ins and of the recorded objects."""
    for name, text in (("kubectl", KUBECTL), ("helm", ""), ("kind", "")):
        (tmp_path / name).write_text(text or "#!/bin/bash\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def run(folder: Path, *arguments: str, **cluster: str) -> subprocess.CompletedProcess[str]:
    settings = {"SECRET": "weather-store-root", "CLAIM": "", "KIND": "", "ENDED": "well"}
    settings |= {"IMAGE": IMAGE, "MADE": str(folder), "CLUSTER": "current"} | cluster
    return subprocess.run(
        [SCRIPT, *arguments],
        env={**os.environ, **settings, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def made(folder: Path) -> dict[str, Manifest]:
    manifests = [yaml.safe_load(file.read_text("utf-8")) for file in sorted(folder.glob("*.yaml"))]
    return {each["kind"]: each for each in manifests}


def container(folder: Path) -> dict[str, Any]:
    (pod,) = pods_of(made(folder).values())
    ((_, only),) = pod.containers
    return only


def test_manifests_are_valid_and_follow_the_pod_rules(folder: Path) -> None:
    ended = run(folder, "backup", "--to", "/backup/weather")
    assert (ended.returncode, ended.stdout) == (0, '{"objects": 4}\n')
    manifests = made(folder)
    assert set(manifests) == {"PersistentVolumeClaim", "Job"}
    for manifest in manifests.values():
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    assert breaches(manifests.values()) == []


def test_the_pod_has_a_service_account_of_the_chart(folder: Path) -> None:
    run(folder, "rebuild")
    (pod,) = pods_of(made(folder).values())
    chart = required_helm().rendered(CHART, "weather", "weather", f"--set-string=image.tag={TAG}")
    assert pod.spec["serviceAccountName"] in of_kind(chart, "ServiceAccount")


def test_the_job_passes_arguments_to_the_installed_image(folder: Path) -> None:
    run(folder, "restore", "--from", "/backup/weather", "--replace")
    step = container(folder)
    assert step["image"] == IMAGE
    assert step["command"] == ["python", "-m", "weather.lake"]
    assert step["args"] == ["restore", "--from", "/backup/weather", "--replace"]
    assert {"name": "backup", "mountPath": "/backup"} in step["volumeMounts"]


@pytest.mark.parametrize(
    ("step", "secret", "keys"),
    [
        ("backup", "weather-store-root", ROOT),
        ("restore", "weather-store-admin", KEYS),
        ("rebuild", "weather-store-admin", KEYS),
        ("rebuild", "weather-store-dbt", KEYS),
    ],
)
def test_the_job_uses_admin_credentials_if_present(
    folder: Path, step: str, secret: str, keys: dict[str, str]
) -> None:
    assert run(folder, step, SECRET=secret).returncode == 0
    taken = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in container(folder)["env"]}
    assert taken == {name: {"name": secret, "key": key} for name, key in keys.items()}


@pytest.mark.parametrize(
    ("settings", "size", "storage_class"),
    [
        ({}, "20Gi", None),
        ({"BACKUP_SIZE": "1Ti", "BACKUP_CLASS": "slow"}, "1Ti", "slow"),
    ],
)
def test_the_claim_has_the_requested_size_and_class(
    folder: Path, settings: dict[str, str], size: str, storage_class: str | None
) -> None:
    run(folder, "backup", "--to", "/backup/weather", **settings)
    claim = made(folder)["PersistentVolumeClaim"]["spec"]
    assert claim["resources"]["requests"]["storage"] == size
    assert claim.get("storageClassName") == storage_class


def test_an_existing_claim_is_not_changed(folder: Path) -> None:
    run(folder, "backup", "--to", "/backup/weather", CLAIM="enlarged")
    assert set(made(folder)) == {"Job"}


def test_the_default_cluster_is_kind(folder: Path) -> None:
    assert run(folder, "rebuild", CLUSTER="", KIND="weather").returncode == 0


def test_a_failed_step_is_reported_with_its_log(folder: Path) -> None:
    ended = run(folder, "rebuild", ENDED="badly")
    assert ended.returncode == 1
    assert ended.stdout == '{"objects": 4}\n'
    assert "rebuild failed" in ended.stderr.splitlines()[-1]


def test_a_timeout_is_not_reported_as_a_failure(
    folder: Path,
) -> None:
    ended = run(folder, "restore", "--from", "/backup/weather", ENDED="never", STEP_SECONDS="1")
    assert ended.returncode == 1
    assert "restore has not ended in 1 s" in ended.stderr.splitlines()[-1]
    assert "describe job/weather-lake-step" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "cluster", "words"),
    [
        ([], {}, "missing step"),
        (["rebuild"], {"IMAGE": ""}, "run 'make cluster' first"),
        (["rebuild"], {"CLUSTER": "kind"}, "run 'make cluster' first"),
        (["backup"], {"SECRET": "weather-store-dbt"}, "create Secret weather-store-admin first"),
        (["restore"], {"SECRET": "weather-store-dbt"}, "create Secret weather-store-admin first"),
    ],
)
def test_an_invalid_step_is_reported_in_one_line(
    folder: Path, arguments: list[str], cluster: dict[str, str], words: str
) -> None:
    ended = run(folder, *arguments, **cluster)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert words in line
    assert made(folder) == {}
