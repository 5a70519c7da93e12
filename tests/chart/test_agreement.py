"""Chart, DAG and programs use the same settings, Secrets, labels and service accounts."""

import os
from itertools import product
from typing import Any

import pytest
import yaml
from orchestration.pod_spec import OPTIONAL_SECRETS, RESOURCES, SECRETS, pod_arguments

from tests.chart.conftest import EVERYTHING, TAG, Render
from tests.chart.helm import PROJECT, of_kind
from tests.plain_secrets import secret_values
from tests.pod_rules import DISK, Manifest, amount, pods_of
from weather.schedule import ScheduleSettings
from weather.settings import (
    ApiSettings,
    KubernetesSettings,
    LakeSettings,
    PipelineSettings,
    SettingsGroup,
    SourceSettings,
    StoreSettings,
    read_settings,
)

OF_LIBPQ = {"PGPASSWORD"}
"""Variables of Postgres's client library, not of this project."""

NEEDED: dict[str, list[type[SettingsGroup]]] = {
    "ingest": [SourceSettings, StoreSettings],
    "dbt": [LakeSettings],
}


FIELDS = {
    field
    for group in (SourceSettings, PipelineSettings, LakeSettings)
    for field in group.model_fields
}


def environment_of(manifests: list[Manifest], secrets: list[str]) -> dict[str, str]:
    environment: dict[str, str] = dict(of_kind(manifests, "ConfigMap")["weather-settings"]["data"])
    for name in secrets:
        environment |= secret_values(of_kind(manifests, "Secret")[name])
    return environment


@pytest.mark.parametrize("image", NEEDED)
def test_a_steps_pod_gets_every_setting_it_reads(
    render: Render, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.lower() in FIELDS:
            monkeypatch.delenv(name)
    environment = environment_of(render(), SECRETS[image])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for group in NEEDED[image]:
        read = {name.upper(): str(value) for name, value in read_settings(group)}
        given = read.keys() & environment.keys()
        assert {name: read[name] for name in given} == {name: environment[name] for name in given}
    assert {name.lower() for name in environment.keys() - OF_LIBPQ} <= FIELDS


def test_default_values_equal_the_programs_defaults(render: Render) -> None:
    made = of_kind(render(), "ConfigMap")
    data = made["weather-settings"]["data"] | made["weather-airflow-settings"]["data"]
    defaults = {
        name.upper(): str(field.default)
        for group in (SourceSettings, ScheduleSettings, StoreSettings)
        for name, field in group.model_fields.items()
    }
    of_the_chart = {"AWS_ENDPOINT_URL": "http://weather-store:9000", "WEATHER_UPKEEP_HOUR": "3"}
    assert data == {**{name: defaults[name] for name in data}, **of_the_chart}


AIRFLOW_VALUES = yaml.safe_load(
    (PROJECT / "helm-values" / "airflow.yaml").read_text(encoding="utf-8")
)


def test_the_schedule_is_set_only_for_airflow(render: Render) -> None:
    made = of_kind(render({"lookbackHours": 48, "schedule": {"everyHours": 3}}), "ConfigMap")
    [name] = [
        each["configMapRef"]["name"]
        for each in yaml.safe_load(AIRFLOW_VALUES["extraEnvFrom"])
        if "configMapRef" in each
    ]
    settings = made.pop(name)
    assert settings["metadata"]["namespace"] == "airflow"
    assert settings["data"] == {
        "WEATHER_LOOKBACK_HOURS": "48",
        "WEATHER_SCHEDULE_HOURS": "3",
        "WEATHER_UPKEEP_HOUR": "3",
    }
    assert not any(name in str(made) for name in settings["data"])


@pytest.mark.parametrize(
    ("values", "upkeep", "fresh"),
    [
        ({}, 3, 2),
        ({"everyHours": 3}, 3, 6),
        ({"everyHours": 4}, 0, 8),
        ({"everyHours": 24, "freshHours": 30}, 0, 30),
        ({"upkeepHour": 0}, 0, 2),
        ({"everyHours": 6, "upkeepHour": 18, "freshHours": 7}, 18, 7),
    ],
)
def test_dag_and_api_read_the_charts_schedule(
    render: Render,
    values: dict[str, int],
    upkeep: int,
    fresh: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manifests = render({"schedule": values})
    dags = of_kind(manifests, "ConfigMap")["weather-airflow-settings"]["data"]
    [api] = of_kind(manifests, "Deployment")["weather-api"]["spec"]["template"]["spec"][
        "containers"
    ]
    for name, value in [*dags.items(), *((each["name"], each["value"]) for each in api["env"])]:
        monkeypatch.setenv(name, value)
    settings = read_settings(ScheduleSettings)
    assert settings.weather_schedule_hours == values.get("everyHours", 1)
    assert (settings.upkeep_hour, settings.fresh_hours) == (upkeep, fresh)


def test_a_changed_schedule_restarts_api_and_dag_processor(render: Render) -> None:
    """The API restarts by its template, the DAG processor by a checksum annotation."""
    before, after = (
        of_kind(render({"schedule": {"everyHours": hours}}), "Deployment")["weather-api"]["spec"]
        for hours in (1, 3)
    )
    assert before["template"] != after["template"]
    annotations = AIRFLOW_VALUES["dagProcessor"]["podAnnotations"]
    assert '"weather-airflow-settings"' in annotations["checksum/weather-settings"]


def test_without_airflow_its_namespace_has_no_objects(render: Render) -> None:
    manifests = render({"airflow": {"enabled": False}})
    assert {each["metadata"]["namespace"] for each in manifests} == {"weather"}


def test_airflows_history_is_kept_as_long_as_its_logs(render: Render) -> None:
    [job] = of_kind(render(), "Job").values()
    [store] = job["spec"]["template"]["spec"]["initContainers"]
    days = AIRFLOW_VALUES["databaseCleanup"]["retentionDays"]
    assert {"name": "STORE_KEPT_DAYS", "value": f"airflow-logs={days}"} in store["env"]


@pytest.mark.parametrize(
    ("origins", "given"),
    [(["*"], "*"), (["https://a.example", "http://b:8000"], "https://a.example,http://b:8000")],
)
def test_the_api_reads_its_settings_from_the_chart(
    render: Render, origins: list[str], given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = of_kind(render({"api": {"corsOrigins": origins, "readyMb": 128}}), "Deployment")[
        "weather-api"
    ]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    for each in container["env"]:
        monkeypatch.setenv(each["name"], each["value"])
    read = read_settings(ApiSettings)
    assert (read.weather_api_cors_origins, read.weather_api_ready_mb) == (given, 128)
    assert read.allowed_origins == origins


def test_the_replay_is_the_default_source_if_enabled(render: Render) -> None:
    def source(**named: str) -> tuple[str, str]:
        manifests = render({"replay": {"enabled": True}, "source": named})
        data = of_kind(manifests, "ConfigMap")["weather-settings"]["data"]
        return data["OPEN_METEO_URL"], data["OPEN_METEO_ARCHIVE_URL"]

    replay = "http://weather-replay:8000"
    assert source() == (replay, replay)
    assert source(url="https://example.org") == ("https://example.org", replay)


def test_on_aws_no_endpoint_is_set(render: Render) -> None:
    manifests = render({"minio": {"enabled": False}})
    assert "AWS_ENDPOINT_URL" not in of_kind(manifests, "ConfigMap")["weather-settings"]["data"]


def test_optional_secrets_are_not_created_by_the_chart(render: Render) -> None:
    made = set(of_kind(render(EVERYTHING), "Secret"))
    assert not made & {name for names in OPTIONAL_SECRETS.values() for name in names}


def step(image: str) -> dict[str, Any]:
    return pod_arguments(
        image, KubernetesSettings.model_validate({"weather_image_tag": TAG}), env={}
    )


@pytest.mark.parametrize("image", NEEDED)
def test_a_steps_service_account_has_the_pull_secrets(render: Render, image: str) -> None:
    accounts = of_kind(render({"image": {"pullSecrets": ["registry"]}}), "ServiceAccount")
    account = accounts[step(image)["service_account_name"]]
    assert account["automountServiceAccountToken"] is False
    assert account["imagePullSecrets"] == [{"name": "registry"}]


@pytest.mark.parametrize("image", NEEDED)
def test_network_policies_select_a_step_by_its_label(render: Render, image: str) -> None:
    policy = of_kind(render(), "NetworkPolicy")[f"weather-{image}"]["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= step(image)["labels"].items()


def test_no_service_has_the_labels_of_a_step(render: Render) -> None:
    for manifest in render(EVERYTHING):
        template = (manifest.get("spec") or {}).get("template") or {}
        labels = (template.get("metadata") or {}).get("labels") or {}
        assert not any(name.startswith("weather/") for name in labels)
        assert labels.get("app.kubernetes.io/part-of") != "weather-pipeline"


def test_step_resources_are_within_the_limit_range(render: Render) -> None:
    [limits] = of_kind(render(), "LimitRange")["weather"]["spec"]["limits"]
    for resources in RESOURCES.values():
        for name, most in limits["max"].items():
            assert amount(resources.limits[name]) <= amount(most)


def test_the_quota_fits_services_a_rollout_and_four_steps(
    render: Render,
) -> None:
    manifests = render(EVERYTHING)
    most_pods = of_kind(manifests, "HorizontalPodAutoscaler")["weather-api"]["spec"]["maxReplicas"]
    copies = {"Deployment/weather-api": most_pods + 1}
    wanted = [
        container["resources"]
        for pod in pods_of(manifests)
        for container in pod.spec["containers"]
        for _ in range(copies.get(pod.place, 1))
    ]
    dbt = RESOURCES["dbt"]
    wanted += 4 * [{"requests": dbt.requests, "limits": dbt.limits}]
    hard = of_kind(manifests, "ResourceQuota")["weather"]["spec"]["hard"]
    for kind, what in product(("requests", "limits"), ("cpu", "memory", DISK)):
        total = sum(amount(resources[kind][what]) for resources in wanted)
        assert total <= amount(hard[f"{kind}.{what}"])


def test_airflow_workers_may_only_run_pods(render: Render) -> None:
    manifests = render()
    role = of_kind(manifests, "Role")["weather-steps"]
    binding = of_kind(manifests, "RoleBinding")["weather-steps"]
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == "weather"
    assert {(each["namespace"], each["name"]) for each in binding["subjects"]} == {
        ("airflow", "airflow-worker")
    }
    granted = {
        (resource, verb)
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted == {
        *(("pods", verb) for verb in ("create", "get", "list", "watch", "patch", "delete")),
        ("pods/log", "get"),
        ("events", "get"),
        ("events", "list"),
    }
    assert of_kind(manifests, "ClusterRole") == {}
