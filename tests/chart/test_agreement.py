"""Chart, DAG and programs agree on names: of settings, of Secrets, of labels, of users."""

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
"""Read by Postgres's own client library, and no setting of ours."""

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
def test_a_step_s_pod_gets_every_setting_that_it_reads(
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


def test_settings_that_are_not_changed_are_those_of_the_programs(render: Render) -> None:
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


def test_the_schedule_is_set_where_the_dag_reads_it_and_nowhere_else(render: Render) -> None:
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
def test_dag_and_api_read_the_chart_s_schedule(
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


def test_a_change_of_the_schedule_restarts_what_reads_it(render: Render) -> None:
    """The API by its template, the DAG processor by an annotation of the settings' checksum."""
    before, after = (
        of_kind(render({"schedule": {"everyHours": hours}}), "Deployment")["weather-api"]["spec"]
        for hours in (1, 3)
    )
    assert before["template"] != after["template"]
    annotations = AIRFLOW_VALUES["dagProcessor"]["podAnnotations"]
    assert '"weather-airflow-settings"' in annotations["checksum/weather-settings"]


def test_without_airflow_nothing_is_made_in_its_namespace(render: Render) -> None:
    manifests = render({"airflow": {"enabled": False}})
    assert {each["metadata"]["namespace"] for each in manifests} == {"weather"}


def test_airflow_s_history_is_kept_as_long_as_its_logs(render: Render) -> None:
    [job] = of_kind(render(), "Job").values()
    [store] = job["spec"]["template"]["spec"]["initContainers"]
    days = AIRFLOW_VALUES["databaseCleanup"]["retentionDays"]
    assert {"name": "STORE_KEPT_DAYS", "value": f"airflow-logs={days}"} in store["env"]


@pytest.mark.parametrize(
    ("origins", "given"),
    [(["*"], "*"), (["https://a.example", "http://b:8000"], "https://a.example,http://b:8000")],
)
def test_what_is_set_for_the_api_is_what_it_reads(
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


def test_with_the_replay_it_is_the_source_unless_another_is_named(render: Render) -> None:
    def source(**named: str) -> tuple[str, str]:
        manifests = render({"replay": {"enabled": True}, "source": named})
        data = of_kind(manifests, "ConfigMap")["weather-settings"]["data"]
        return data["OPEN_METEO_URL"], data["OPEN_METEO_ARCHIVE_URL"]

    replay = "http://weather-replay:8000"
    assert source() == (replay, replay)
    assert source(url="https://example.org") == ("https://example.org", replay)


def test_on_aws_there_is_no_address(render: Render) -> None:
    manifests = render({"minio": {"enabled": False}})
    assert "AWS_ENDPOINT_URL" not in of_kind(manifests, "ConfigMap")["weather-settings"]["data"]


def test_an_optional_secret_is_the_user_s_own(render: Render) -> None:
    made = set(of_kind(render(EVERYTHING), "Secret"))
    assert not made & {name for names in OPTIONAL_SECRETS.values() for name in names}


def step(image: str) -> dict[str, Any]:
    return pod_arguments(
        image, KubernetesSettings.model_validate({"weather_image_tag": TAG}), env={}
    )


@pytest.mark.parametrize("image", NEEDED)
def test_a_step_has_the_account_that_knows_the_registry(render: Render, image: str) -> None:
    accounts = of_kind(render({"image": {"pullSecrets": ["registry"]}}), "ServiceAccount")
    account = accounts[step(image)["service_account_name"]]
    assert account["automountServiceAccountToken"] is False
    assert account["imagePullSecrets"] == [{"name": "registry"}]


@pytest.mark.parametrize("image", NEEDED)
def test_network_policies_know_a_step_by_its_label(render: Render, image: str) -> None:
    policy = of_kind(render(), "NetworkPolicy")[f"weather-{image}"]["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= step(image)["labels"].items()


def test_no_service_is_taken_for_a_step(render: Render) -> None:
    for manifest in render(EVERYTHING):
        template = (manifest.get("spec") or {}).get("template") or {}
        labels = (template.get("metadata") or {}).get("labels") or {}
        assert not any(name.startswith("weather/") for name in labels)
        assert labels.get("app.kubernetes.io/part-of") != "weather-pipeline"


def test_no_step_asks_for_more_than_a_container_may_have(render: Render) -> None:
    [limits] = of_kind(render(), "LimitRange")["weather"]["spec"]["limits"]
    for resources in RESOURCES.values():
        for name, most in limits["max"].items():
            assert amount(resources.limits[name]) <= amount(most)


def test_the_quota_has_room_for_all_services_a_rolling_update_and_four_steps(
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


def test_airflow_s_workers_may_run_pods_here_and_nothing_else(render: Render) -> None:
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
