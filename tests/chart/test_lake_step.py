"""`scripts/cluster/lake-step`: the job that it makes, and what it says of how the job ended."""

import os
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.chart.helm import KUBERNETES
from tests.policies import Manifest, breaches, pods_of

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "cluster" / "lake-step"
IMAGE = "registry.example.org/weather-dbt:abc123"
ROOT = {"AWS_ACCESS_KEY_ID": "MINIO_ROOT_USER", "AWS_SECRET_ACCESS_KEY": "MINIO_ROOT_PASSWORD"}

KUBECTL = """#!/bin/bash
case "$*" in
    *"get secret weather-store-root") [ "$STORE" = minio ] ;;
    *"get jobs "*) echo -n "$IMAGE" ;;
    *"apply --filename -") cat > "$APPLIED" ;;
    *"get job/weather-lake-step "*) echo -n 1 ;;
    *"logs job/weather-lake-step") echo '{"objects": 4}' ;;
    *"wait job/weather-lake-step --for condition=Complete"*) [ "$ENDED" = well ] ;;
esac
"""
"""Answers as a cluster would, and keeps what it is told to make."""


@pytest.fixture
def applied(tmp_path: Path) -> Path:
    """Where the stand-in for kubectl keeps what it is told to make."""
    for name, text in (("kubectl", KUBECTL), ("helm", "#!/bin/bash\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    return tmp_path / "applied.yaml"


def run(applied: Path, *arguments: str, **cluster: str) -> subprocess.CompletedProcess[str]:
    told = {"STORE": "minio", "ENDED": "well", "IMAGE": IMAGE, "APPLIED": str(applied)} | cluster
    path = f"{applied.parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [SCRIPT, *arguments],
        env={**os.environ, **told, "PATH": path, "CLUSTER": "current"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def made(applied: Path) -> list[Manifest]:
    return list(yaml.safe_load_all(applied.read_text(encoding="utf-8")))


def container(applied: Path) -> dict[str, Any]:
    (pod,) = pods_of(made(applied))
    ((_, only),) = pod.containers
    return only


def test_the_job_is_valid_and_keeps_the_rules_of_every_pod(applied: Path) -> None:
    ended = run(applied, "backup", "--to", "/backup/weather")
    assert (ended.returncode, ended.stdout) == (0, '{"objects": 4}\n')
    manifests = made(applied)
    assert [each["kind"] for each in manifests] == ["PersistentVolumeClaim", "Job"]
    for manifest in manifests:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    assert breaches(manifests) == []


def test_the_job_runs_what_it_was_told_with_the_installed_image(applied: Path) -> None:
    run(applied, "restore", "--from", "/backup/weather", "--replace")
    step = container(applied)
    assert step["image"] == IMAGE
    assert step["command"] == ["python", "-m", "lake_steps"]
    assert step["args"] == ["restore", "--from", "/backup/weather", "--replace"]
    assert {"name": "backup", "mountPath": "/backup"} in step["volumeMounts"]


@pytest.mark.parametrize(
    ("store", "secret", "keys"),
    [
        ("minio", "weather-store-root", ROOT),
        ("outside", "weather-store-dbt", {name: name for name in ROOT}),
    ],
)
def test_it_has_the_administrator_s_rights_where_there_is_one(
    applied: Path, store: str, secret: str, keys: dict[str, str]
) -> None:
    run(applied, "rebuild", STORE=store)
    taken = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in container(applied)["env"]}
    assert taken == {name: {"name": secret, "key": key} for name, key in keys.items()}


def test_a_step_that_fails_shows_its_lines_and_where_to_look(applied: Path) -> None:
    ended = run(applied, "rebuild", ENDED="badly")
    assert ended.returncode == 1
    assert ended.stdout == '{"objects": 4}\n'
    assert "rebuild did not end well" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "image", "words"),
    [([], IMAGE, "name a step"), (["rebuild"], "", "run 'make cluster' first")],
)
def test_what_cannot_be_done_is_one_line(
    applied: Path, arguments: list[str], image: str, words: str
) -> None:
    ended = run(applied, *arguments, IMAGE=image)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert words in line
    assert not applied.exists()
