"""`scripts/cluster/up`, `down` and `test` change only our own namespaces of a cluster."""

import os
import re
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts" / "cluster"
OURS = "app.kubernetes.io/part-of=weather-pipeline"
MARK = "weather/installed-by=cluster-test"
OF_THE_SCRIPTS = {"BASH_VERSION", "KIND_NAME", "OURS", "SECONDS"}
"""Variables that the scripts set, not the users."""

KUBECTL = """#!/bin/bash
case "$*" in
    "config current-context") echo production ;;
    "get namespaces --output name") sed 's/ .*//' "$FOLDER/namespaces" ;;
    "get namespaces --selector "*) grep -F " ${4%,*} " "$FOLDER/namespaces" |
        grep -F " ${4#*,} " | sed 's/ .*//' ;;
    *"get "*) ;;
    *) echo "kubectl $*" >> "$FOLDER/commands" ;;
esac
true
"""
HELM = '#!/bin/bash\necho "helm $*" >> "$FOLDER/commands"\n'
FAILS = "#!/bin/bash\necho refused >&2\nexit 1\n"


class Machine:
    """Stand-ins for kubectl, helm and docker, and a cluster with some namespaces."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program("kubectl", KUBECTL)
        self.program("helm", HELM)
        self.program("docker", FAILS)
        self.namespaces({})

    def program(self, name: str, text: str) -> None:
        """Put a stand-in first on PATH."""
        (self.folder / name).write_text(text, encoding="utf-8")
        (self.folder / name).chmod(0o755)

    def namespaces(self, labels: dict[str, list[str]]) -> None:
        """Set the cluster's namespaces and their labels."""
        lines = [f"namespace/{name} {' '.join(each)} \n" for name, each in labels.items()]
        (self.folder / "namespaces").write_text("".join(lines), encoding="utf-8")

    def run(self, script: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a script on kubectl's current context."""
        path = f"{self.folder}{os.pathsep}{os.environ['PATH']}"
        given = {"CLUSTER": "current", "FOLDER": str(self.folder), "PATH": path, "MONITORING": ""}
        # pytest prints its version and runs no test.
        given["ARGS"] = "--version"
        return subprocess.run(
            [SCRIPTS / script],
            env={**os.environ, **given, **settings},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def commands(self) -> list[str]:
        """Return the changing commands of kubectl and helm, in order."""
        file = self.folder / "commands"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("name", ["weather", "airflow", "monitoring"])
@pytest.mark.parametrize("script", ["up", "test"])
def test_an_existing_namespace_is_rejected(machine: Machine, script: str, name: str) -> None:
    machine.namespaces({name: ["team=other"]})
    ended = machine.run(script, TAG="1", MONITORING="1")
    assert ended.returncode == 1
    assert f"namespace {name} exists" in ended.stderr.splitlines()[-1]
    assert machine.commands() == []


def test_an_unused_namespace_is_not_checked(machine: Machine) -> None:
    machine.namespaces({"monitoring": [], "weather": [OURS]})
    machine.run("up", TAG="1")
    applied = [line for line in machine.commands() if line.startswith("kubectl apply")]
    assert applied == [
        f"kubectl apply --filename scripts/cluster/namespaces/{name}.yaml"
        for name in ("weather", "airflow")
    ]
    assert [line for line in machine.commands() if "monitoring" in line] == []


def test_the_monitoring_namespace_is_created_first(machine: Machine) -> None:
    machine.run("up", TAG="1", MONITORING="1")
    about = [line for line in machine.commands() if "monitoring" in line]
    assert about[0] == "kubectl apply --filename scripts/cluster/namespaces/monitoring.yaml"
    assert about[1].startswith("helm upgrade --install monitoring ")
    assert "--create-namespace" not in about[1]


def test_an_unreachable_cluster_is_reported_in_one_line(machine: Machine) -> None:
    machine.program("kubectl", '#!/bin/bash\n[ "$1" = config ] || { echo no >&2; exit 1; }\n')
    for script in ("up", "down"):
        ended = machine.run(script, TAG="1")
        assert ended.returncode == 1
        first, line = ended.stderr.splitlines()[-2:]
        assert first == "no"
        assert "cannot list the cluster's namespaces" in line


@pytest.mark.parametrize(
    ("settings", "is_reported"),
    [({}, True), ({"LOAD_IMAGES": "false"}, False), ({"PUSH": "1"}, False), ({"TAG": "1"}, False)],
)
def test_images_the_cluster_cannot_pull_are_reported(
    machine: Machine, settings: dict[str, str], is_reported: bool
) -> None:
    ended = machine.run("up", WEATHER_IMAGE_TAG="1", **settings)
    assert ("needs LOAD_IMAGES, or TAG with a registry" in ended.stderr) == is_reported


def test_the_header_of_up_lists_all_settings() -> None:
    up = (SCRIPTS / "up").read_text(encoding="utf-8")
    listed = set(re.findall(r"^#   ([A-Z_]+) ", up, re.MULTILINE))
    read = set(re.findall(r"\$\{?([A-Z_]+)", up + (SCRIPTS / "common").read_text(encoding="utf-8")))
    assert listed == read - OF_THE_SCRIPTS


def test_down_uninstalls_all_our_releases(machine: Machine) -> None:
    machine.namespaces({"weather": [OURS], "airflow": [OURS], "monitoring": [OURS]})
    ended = machine.run("down")
    assert ended.returncode == 0
    assert machine.commands() == [
        "helm uninstall airflow --namespace airflow --ignore-not-found --wait",
        "kubectl delete namespace airflow",
        "helm uninstall weather --namespace weather --ignore-not-found --wait",
        f"kubectl --namespace weather delete jobs,pods --selector {OURS}",
        "helm uninstall monitoring --namespace monitoring --ignore-not-found --wait",
    ]
    assert "Prometheus's history" in ended.stdout


@pytest.mark.parametrize("theirs", ["weather", "airflow", "monitoring"])
def test_down_keeps_namespaces_of_others(machine: Machine, theirs: str) -> None:
    names = {"weather", "airflow", "monitoring"}
    machine.namespaces({name: [] if name == theirs else [OURS] for name in names})
    assert machine.run("down").returncode == 0
    uninstalled = {line.split()[2] for line in machine.commands() if line.startswith("helm")}
    assert uninstalled == names - {theirs}
    assert not any(f"namespace {theirs}" in line for line in machine.commands())


def test_down_without_our_namespaces_changes_nothing(machine: Machine) -> None:
    machine.namespaces({"weather": [], "airflow": []})
    ended = machine.run("down")
    assert ended.returncode == 0
    assert ended.stdout.startswith("Context production has no namespace of ours")
    assert machine.commands() == []


def test_down_uninstalls_airflow_alone(
    machine: Machine,
) -> None:
    machine.namespaces({"weather": [], "airflow": [OURS]})
    ended = machine.run("down")
    assert ended.returncode == 0
    assert "kubectl delete namespace airflow" in machine.commands()
    assert "nothing was changed" not in ended.stdout


def test_cluster_test_rejects_an_installation_of_others(machine: Machine) -> None:
    machine.namespaces({"weather": [OURS]})
    ended = machine.run("test", TAG="1")
    assert ended.returncode == 1
    assert "namespace weather exists in context production" in ended.stderr
    assert machine.commands() == []


def test_cluster_test_removes_its_earlier_installation(machine: Machine) -> None:
    machine.namespaces({"weather": [OURS, MARK], "airflow": [OURS, MARK], "monitoring": [OURS]})
    machine.run("test", TAG="1")
    commands = machine.commands()
    assert "kubectl delete namespace weather" in commands
    assert not any("monitoring" in line for line in commands)
    assert f"kubectl label namespace weather airflow {MARK} --overwrite" in commands


def test_cluster_test_keeps_the_installation_with_keep(machine: Machine) -> None:
    machine.namespaces({name: [OURS, MARK] for name in ("weather", "airflow")})
    machine.run("test", TAG="1", KEEP="1")
    assert not any("delete" in line or "uninstall" in line for line in machine.commands())
