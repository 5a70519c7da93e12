"""A real Prometheus scrapes the system. Needs `make cluster MONITORING=1`."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
import yaml
from kubernetes import client

from tests.cluster.airflow import DAG_ID
from tests.cluster.forward import Forward, NoForward, forwarded
from tests.cluster.namespaces import WEATHER
from tests.cluster.system import System
from tests.cluster.waiting import wait_for
from tests.monitoring.sources import RULE_FILES, alerts, content, expressions, metrics_in
from weather.ducklake import attached_lake
from weather.lake.publish import publish
from weather.published import read_published
from weather.settings import LakeSettings
from weather.storage import Store
from weather.window import Window

MONITORING = "monitoring"
RULES = ("monitoring.coreos.com", "v1", WEATHER, "prometheusrules")
SECONDS_TO_SEE = 420
HOURS_LOST = timedelta(hours=3)

NOT_HERE = ("kube_", "kubelet_volume_")
"""Prefixes of metrics that a test cluster may lack: no internet, other kinds of volumes."""

ONLY_IN_TROUBLE = {"weather_run_retries"}
"""Metrics that have no series in runs without retries."""


@dataclass(frozen=True)
class Prometheus:
    """The Prometheus of release `monitoring`."""

    forward: Forward

    def get(self, path: str, **query: str) -> Any:
        response = httpx.get(f"{self.forward.url}/api/v1/{path}", params=query, trust_env=False)
        return response.raise_for_status().json()["data"]

    def has(self, expression: str) -> bool:
        """Return whether the expression has a numeric value."""
        result = self.get("query", query=expression)["result"]
        return any(each["value"][1] != "NaN" for each in result)

    def states(self, alert: str) -> set[str]:
        return {
            each["state"]
            for each in self.get("alerts")["alerts"]
            if each["labels"]["alertname"] == alert
        }


@pytest.fixture(scope="module")
def prometheus(system: System) -> Iterator[Prometheus]:
    if not system.cluster.pods(MONITORING, "app.kubernetes.io/name=prometheus"):
        pytest.skip("Prometheus not found: run `make cluster MONITORING=1`")
    with forwarded(MONITORING, "prometheus-operated", 9090) as forward:
        yield Prometheus(forward)


def test_every_target_is_up(system: System, prometheus: Prometheus) -> None:
    apis = len(system.cluster.pods(WEATHER, "app.kubernetes.io/component=api"))
    wanted = {"weather-api": apis, "weather-store": 1, "airflow-statsd": 1}

    def up() -> dict[str, int]:
        active = prometheus.get("targets", state="active")["activeTargets"]
        healthy = [each["labels"]["job"] for each in active if each["health"] == "up"]
        return {job: healthy.count(job) for job in wanted}

    wait_for("all targets are up", lambda: up() == wanted, SECONDS_TO_SEE, up)


def test_prometheus_evaluates_every_rule(prometheus: Prometheus) -> None:
    wanted = {
        (group["name"], len(group["rules"]))
        for file in RULE_FILES
        for group in yaml.safe_load(content(file))["groups"]
    }
    groups = [each for each in prometheus.get("rules")["groups"] if "weather" in each["name"]]
    assert wanted <= {(group["name"], len(group["rules"])) for group in groups}
    assert [rule for group in groups for rule in group["rules"] if rule["health"] == "err"] == []


def test_every_expression_has_data_after_a_run(system: System, prometheus: Prometheus) -> None:
    """Run twice, because a counter of an exporter increases only from the second event on."""
    names = {rule["alert"] for rule in alerts()}
    wanted = {
        place: expression
        for place, expression in expressions().items()
        if place.partition(" ")[0] not in names
        and not any(name.startswith(NOT_HERE) for name in metrics_in(expression))
        and not metrics_in(expression) & ONLY_IN_TROUBLE
    }
    assert len(wanted) > len(expressions()) / 2
    for name in ("monitoring-first", "monitoring-second"):
        system.await_success(system.trigger(name))

    def without_data() -> list[str]:
        with suppress(httpx.HTTPError, NoForward):
            # Without requests the API has no latency.
            system.served_rows()
        return [place for place, each in wanted.items() if not prometheus.has(each)]

    wait_for("all have data", lambda: without_data() == [], SECONDS_TO_SEE, without_data)


@pytest.fixture
def quick_alert(system: System) -> Iterator[str]:
    """Install the freshness alert with windows of minutes, and return its name."""
    [file] = [each for each in RULE_FILES if each.stem == "freshness"]
    text = content(file)
    for usual, quick in {
        "weather:": "weather_test:",
        "weather-freshness": "weather-test-freshness",
        "alert: WeatherDataStale": "alert: WeatherTestStale",
        "[30m]) / (0.5 * 120)": "[1m]) / 2",
        "[6h]) / (6 * 120)": "[2m]) / 4",
    }.items():
        assert usual in text
        text = text.replace(usual, quick)
    spec = yaml.safe_load(text)
    for group in spec["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                rule["for"] = "1m"
    objects = client.CustomObjectsApi(system.cluster.api)
    body = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "weather-test-freshness"},
        "spec": spec,
    }
    objects.create_namespaced_custom_object(*RULES, body)
    yield "WeatherTestStale"
    objects.delete_namespaced_custom_object(*RULES, "weather-test-freshness")


@pytest.fixture
def no_ingestion(system: System) -> Iterator[None]:
    """Pause the DAG and remove the newest hours, as after hours without a run."""
    system.settle()
    pause(system, paused=True)
    try:
        with system.lake_settings("dbt") as settings:
            lose_the_newest_hours(settings)
        yield
    finally:
        pause(system, paused=False)


def lose_the_newest_hours(settings: LakeSettings) -> None:
    published = read_published(Store(settings))
    assert published is not None
    end = published.window_end - HOURS_LOST
    late = "DELETE FROM stg_weather WHERE hour_timestamp >= ?"
    with attached_lake(settings) as lake:
        lake.execute(late, [end.replace(tzinfo=None)])
    publish(settings, Window(end - timedelta(hours=168), end))


def pause(system: System, *, paused: bool) -> None:
    system.airflow.request("PATCH", f"dags/{DAG_ID}", json={"is_paused": paused})


def test_the_alert_is_pending_then_fires_then_clears(
    system: System, prometheus: Prometheus, quick_alert: str, no_ingestion: None
) -> None:
    def reaches(state: str) -> None:
        wait_for(
            f"{quick_alert} is {state}",
            lambda: state in prometheus.states(quick_alert),
            SECONDS_TO_SEE,
            lambda: prometheus.get("alerts"),
        )

    reaches("pending")
    reaches("firing")
    pause(system, paused=False)
    system.await_success(system.trigger("monitoring-clears"))
    wait_for(
        "the critical alert clears",
        lambda: (
            not [
                each
                for each in prometheus.get("alerts")["alerts"]
                if each["labels"]["alertname"] == quick_alert
                and each["labels"]["severity"] == "critical"
            ]
        ),
        SECONDS_TO_SEE,
        lambda: prometheus.get("alerts"),
    )
    system.assert_nothing_lost_nothing_doubled()
