"""The official Airflow chart with our values."""

import os
import re
from collections.abc import Callable
from configparser import ConfigParser
from copy import deepcopy
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.chart.helm import KUBERNETES, PROJECT, Helm, of_kind
from tests.plain_secrets import plain_secrets
from tests.pod_rules import Manifest, breaches, pods_of

VALUES = PROJECT / "helm-values" / "airflow.yaml"
TAG = "3f2a9c1d7b60"

Render = Callable[..., list[Manifest]]

NEED_A_TOKEN = {
    ("no_token", "Deployment/airflow-scheduler"): "creates the workers' pods",
    ("no_token", "Deployment/airflow-api-server"): "shows the log of a running worker's pod",
    ("no_token", "Pod/worker"): "creates the steps' pods",
}


@pytest.fixture(scope="session")
def render(helm: Helm) -> Render:
    """Factory of the official chart's manifests with our values and further arguments."""
    archive = os.environ.get("AIRFLOW_CHART", "")
    if not Path(archive).is_file():
        pytest.skip("chart archive not found: set AIRFLOW_CHART to the official chart")

    def rendered(*arguments: str) -> list[Manifest]:
        return helm.rendered(Path(archive), "airflow", "airflow", f"--values={VALUES}", *arguments)

    return rendered


@pytest.fixture(scope="session")
def manifests(render: Render) -> list[Manifest]:
    """The chart's manifests, and a worker's pod made from Airflow's template."""
    rendered = render(f"--set-string=images.airflow.tag={TAG}")
    return [*rendered, worker(rendered)]


def configuration(manifests: list[Manifest]) -> ConfigParser:
    """Parse Airflow's configuration file."""
    parser = ConfigParser(interpolation=None)
    parser.read_string(of_kind(manifests, "ConfigMap")["airflow-config"]["data"]["airflow.cfg"])
    return parser


def worker(manifests: list[Manifest]) -> Manifest:
    """Return a worker's pod with a name and an image, as KubernetesExecutor creates it."""
    files = of_kind(manifests, "ConfigMap")["airflow-config"]["data"]
    pod: Manifest = yaml.safe_load(files["pod_template_file.yaml"])
    image = configuration(manifests)["kubernetes_executor"]
    repository, tag = image["worker_container_repository"], image["worker_container_tag"]
    pod["metadata"]["name"] = "worker"
    [container] = pod["spec"]["containers"]
    container["image"] = f"{repository}:{tag}"
    return pod


def with_tokens_of_their_accounts(manifests: list[Manifest]) -> list[Manifest]:
    """Return copies of pods with the token setting of each pod's service account."""
    accounts = of_kind(manifests, "ServiceAccount")
    copies = deepcopy(manifests)
    for pod in pods_of(copies):
        mounted = accounts[pod.spec["serviceAccountName"]].get("automountServiceAccountToken", True)
        pod.spec["automountServiceAccountToken"] = mounted
    return copies


def test_every_object_is_valid_for_kubernetes(manifests: list[Manifest]) -> None:
    assert len(manifests) > 20
    for each in manifests:
        kubernetes_validate.validate(each, KUBERNETES, strict=True)


def test_every_pod_follows_the_pod_rules(manifests: list[Manifest]) -> None:
    assert breaches(with_tokens_of_their_accounts(manifests), NEED_A_TOKEN) == []


def test_no_password_is_outside_secrets(manifests: list[Manifest]) -> None:
    assert plain_secrets(manifests) == []


def test_the_only_user_is_that_of_our_secret(manifests: list[Manifest]) -> None:
    [container] = of_kind(manifests, "Job")["airflow-create-user"]["spec"]["template"]["spec"][
        "containers"
    ]
    secrets = {
        variable["name"]: variable["valueFrom"]["secretKeyRef"]
        for variable in container["env"]
        if variable["name"].startswith("LOGIN_")
    }
    assert secrets == {
        "LOGIN_NAME": {"name": "weather-airflow-login", "key": "username"},
        "LOGIN_PASSWORD": {"name": "weather-airflow-login", "key": "password"},
    }
    commands = container["args"][-1].splitlines()
    users = [line for line in commands if line.startswith("airflow users")]
    assert len(users) == 2
    assert container["args"][-1].count('--username "$LOGIN_NAME"') == 2
    assert container["args"][-1].count('--password "$LOGIN_PASSWORD"') == 2
    manager = configuration(manifests)["core"]["auth_manager"]
    assert manager.endswith(".FabAuthManager")


def test_an_upgrade_without_changes_changes_nothing(
    render: Render, manifests: list[Manifest]
) -> None:
    """The manifests have no random values, revision numbers and Secrets."""
    again = render(f"--set-string=images.airflow.tag={TAG}", "--is-upgrade")
    assert [*again, worker(again)] == manifests
    assert of_kind(again, "Secret") == {}


def test_no_object_is_a_hook(manifests: list[Manifest]) -> None:
    """Hooks would deadlock an installation, and an uninstall does not delete hooks."""
    annotations = [each["metadata"].get("annotations") or {} for each in manifests]
    assert [each for each in annotations if "helm.sh/hook" in each] == []
    assert of_kind(manifests, "Job").keys() == {
        "airflow-create-user",
        "airflow-run-airflow-migrations",
    }


def test_all_secrets_come_from_our_chart_or_the_user(manifests: list[Manifest]) -> None:
    def named(value: Any) -> set[str]:
        if isinstance(value, list):
            return {name for each in value for name in named(each)}
        if not isinstance(value, dict):
            return set()
        own = {value[key]["name"] for key in ("secretKeyRef", "secretRef") if key in value}
        return own | {name for each in value.values() for name in named(each)}

    assert named([pod.spec for pod in pods_of(manifests)]) == {
        "weather-airflow-metadata",
        "weather-airflow-fernet-key",
        "weather-airflow-api-secret",
        "weather-airflow-jwt-secret",
        "weather-airflow-logs",
        "weather-airflow-login",
        "weather-notices",
    }


def test_a_worker_starts_without_init_containers(manifests: list[Manifest]) -> None:
    assert not worker(manifests)["spec"]["initContainers"]
    executor = configuration(manifests)["kubernetes_executor"]
    assert int(executor["worker_pods_creation_batch_size"]) > 1


def test_all_airflow_components_run_our_image(manifests: list[Manifest]) -> None:
    images = {
        place: container["image"]
        for pod in pods_of(manifests)
        for place, container in pod.containers
    }
    statsd = images.pop("Deployment/airflow-statsd/statsd")
    assert statsd.startswith("quay.io/prometheus/statsd-exporter:v")
    assert set(images.values()) == {f"weather-airflow:{TAG}"}


def test_a_missing_tag_is_visible_in_the_image_name(render: Render) -> None:
    scheduler = of_kind(render(), "Deployment")["airflow-scheduler"]
    [container] = scheduler["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "weather-airflow:set-images.airflow.tag"


@pytest.mark.parametrize("component", ["scheduler", "triggerer", "dag-processor", "worker"])
def test_a_shared_pod_for_all_models_is_one_setting(
    render: Render, manifests: list[Manifest], component: str
) -> None:
    def setting(manifests: list[Manifest]) -> str:
        every = [*manifests, worker(manifests)]
        [pod] = [each for each in pods_of(every) if each.place.endswith(component)]
        environment = {each["name"]: each.get("value") for each in pod.spec["containers"][0]["env"]}
        return str(environment["WEATHER_DBT_PODS"])

    assert setting(manifests[:-1]) == "model"
    assert setting(render("--set=env[0].value=watcher")) == "watcher"


def test_logs_outlive_their_pods(manifests: list[Manifest]) -> None:
    logging = configuration(manifests)["logging"]
    assert logging["remote_logging"] == "True"
    assert logging["remote_base_log_folder"] == "s3://airflow-logs/"
    assert logging["remote_log_conn_id"] == "weather_logs"
    for pod in pods_of(manifests):
        if pod.place.startswith("Job/") or "statsd" in pod.place:
            continue
        for place, container in pod.containers:
            assert {"secretRef": {"name": "weather-airflow-logs"}} in container["envFrom"], place


def test_logs_may_be_in_an_external_store(render: Render) -> None:
    example = PROJECT / "chart" / "examples" / "outside-airflow.yaml"
    logging = configuration(render(f"--values={example}"))["logging"]
    assert logging["remote_base_log_folder"] == "s3://my-airflow-logs/"
    usual = configuration(render())["logging"]
    assert {name for name in usual if usual[name] != logging[name]} == {"remote_base_log_folder"}


def test_notices_are_optional(manifests: list[Manifest]) -> None:
    """Pods start without the webhook's Secret."""
    sources = [
        each["secretRef"]
        for pod in pods_of(manifests)
        for _, container in pod.containers
        for each in container.get("envFrom", [])
        if "secretRef" in each
    ]
    notices = [each for each in sources if each["name"] == "weather-notices"]
    assert notices
    assert all(each["optional"] for each in notices)


def test_a_task_gets_our_charts_settings(
    manifests: list[Manifest],
) -> None:
    settings = {"configMapRef": {"name": "weather-airflow-settings", "optional": True}}
    [container] = worker(manifests[:-1])["spec"]["containers"]
    assert settings in container["envFrom"]


def test_database_cleanup_has_a_writable_folder(
    manifests: list[Manifest],
) -> None:
    job = of_kind(manifests, "CronJob")["airflow-database-cleanup"]["spec"]["jobTemplate"]
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert "airflow db clean" in container["args"][-1]
    assert "--yes --skip-archive" in container["args"][-1]
    assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]


def test_a_changed_mapping_restarts_the_exporter(render: Render, manifests: list[Manifest]) -> None:
    def template(manifests: list[Manifest]) -> Manifest:
        made: Manifest = of_kind(manifests, "Deployment")["airflow-statsd"]["spec"]["template"]
        return made

    changed = "--set=statsd.overrideMappings[0].name=another_name"
    assert template(render(changed)) != template(manifests)


def test_airflows_version_is_the_same_everywhere() -> None:
    def found(file: str, pattern: str) -> set[str]:
        text = (PROJECT / file).read_text(encoding="utf-8")
        return set(re.findall(pattern, text, re.MULTILINE))

    [airflow] = found("helm-values/airflow.yaml", r'^airflowVersion: "(.*)"$')
    assert (
        {airflow}
        == found("pyproject.toml", r'"apache-airflow==([^"]+)"')
        == found("requirements/airflow.txt", r"^apache-airflow==(\S+)")
        == found("images/airflow/Dockerfile", r"^FROM apache/airflow:([\d.]+)-")
        == found("docs/runbooks/upgrade-airflow.md", r"^    (\d+\.\d+\.\d+)$")
    )
    [chart] = found("scripts/cluster/common", r"airflow\.apache\.org --version ([\d.]+)\)")
    assert (
        {chart}
        == found("helm-values/airflow.yaml", r"official chart, version ([\d.]+)\.$")
        == found("docs/kubernetes.md", r"the official chart ([\d.]+) unmodified")
    )
