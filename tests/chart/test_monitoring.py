"""The chart's objects for Prometheus and Grafana, with the operator's CRDs."""

import json
from typing import Any

import pytest
import yaml

from tests.chart.conftest import EVERYTHING, EXTERNAL, Render
from tests.chart.helm import CHART, of_kind
from tests.chart.network import Place, is_allowed
from tests.monitoring.sources import EACH_HOUR, EVERY_3_HOURS, content
from tests.pod_rules import Manifest

OPERATOR = "--api-versions=monitoring.coreos.com/v1"
PROMETHEUS = Place({"app.kubernetes.io/name": "prometheus"}, "monitoring")
EXPORTER = Place({"tier": "airflow", "component": "statsd"}, "airflow")
STORE = Place({"app.kubernetes.io/component": "store"})

RULES = {path.stem: path for path in (CHART / "monitoring" / "rules").glob("*.yaml")}
DASHBOARDS = {path.stem: path for path in (CHART / "monitoring" / "dashboards").glob("*.json")}


def monitored(
    render: Render, values: dict[str, Any] | None = None, *arguments: str
) -> list[Manifest]:
    return render(values or {}, OPERATOR, *arguments)


def dashboards(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {
        name: each
        for name, each in of_kind(manifests, "ConfigMap").items()
        if name.startswith("weather-dashboard-")
    }


def test_without_the_operator_no_monitoring_is_installed(render: Render) -> None:
    names = {(m["kind"], m["metadata"]["name"]) for m in render(EVERYTHING)}
    more = {(m["kind"], m["metadata"]["name"]) for m in monitored(render, EVERYTHING)}
    assert more - names == {
        *(("ServiceMonitor", f"weather-{name}") for name in ("api", "store", "airflow")),
        *(("PrometheusRule", f"weather-{name}") for name in RULES),
        *(("ConfigMap", f"weather-dashboard-{name}") for name in DASHBOARDS),
        ("NetworkPolicy", "weather-airflow-metrics"),
    }
    assert names < more


@pytest.mark.parametrize(
    ("part", "kind"),
    [("serviceMonitors", "ServiceMonitor"), ("rules", "PrometheusRule")],
)
def test_each_kind_can_be_disabled(render: Render, part: str, kind: str) -> None:
    manifests = monitored(render, {"monitoring": {part: {"enabled": False}}})
    kinds = {each["kind"] for each in manifests}
    assert kind not in kinds
    assert {"ServiceMonitor", "PrometheusRule"} - kinds == {kind}
    assert dashboards(manifests)


def test_dashboards_can_be_disabled(render: Render) -> None:
    manifests = monitored(render, {"monitoring": {"dashboards": {"enabled": False}}})
    assert dashboards(manifests) == {}
    assert of_kind(manifests, "PrometheusRule")


def test_a_monitor_scrapes_a_port_of_its_service(render: Render) -> None:
    manifests = monitored(render)
    services = of_kind(manifests, "Service")
    for name in ("weather-api", "weather-store"):
        monitor = of_kind(manifests, "ServiceMonitor")[name]["spec"]
        wanted = monitor["selector"]["matchLabels"]
        selected = [
            n for n, s in services.items() if wanted.items() <= s["metadata"]["labels"].items()
        ]
        assert selected == [name]
        [endpoint] = monitor["endpoints"]
        assert endpoint["port"] in {port["name"] for port in services[name]["spec"]["ports"]}


def test_airflows_exporter_is_scraped_in_airflows_namespace(render: Render) -> None:
    monitor = of_kind(monitored(render, {"airflow": {"namespace": "flow"}}), "ServiceMonitor")[
        "weather-airflow"
    ]["spec"]
    assert monitor["namespaceSelector"] == {"matchNames": ["flow"]}
    assert monitor["selector"] == {"matchLabels": EXPORTER.labels}
    assert [each["port"] for each in monitor["endpoints"]] == ["statsd-scrape"]


def test_only_existing_services_are_scraped(render: Render) -> None:
    manifests = monitored(render, {**EXTERNAL, "airflow": {"enabled": False}})
    assert set(of_kind(manifests, "ServiceMonitor")) == {"weather-api"}
    assert "weather-airflow-metrics" not in of_kind(manifests, "NetworkPolicy")


def test_without_airflow_no_rule_uses_its_metrics(render: Render) -> None:
    manifests = monitored(render, {"airflow": {"enabled": False}})
    rules = of_kind(manifests, "PrometheusRule")
    assert set(rules) == {f"weather-{name}" for name in RULES} - {"weather-airflow"}
    assert "airflow" not in str([each["spec"] for each in rules.values()])


@pytest.mark.parametrize(("target", "port"), [(STORE, 9000), (EXPORTER, 9102)])
def test_only_prometheus_may_scrape(render: Render, target: Place, port: int) -> None:
    policies = list(of_kind(monitored(render), "NetworkPolicy").values())
    assert is_allowed(policies, PROMETHEUS, target, port)
    assert not is_allowed(policies, Place({}, "monitoring"), target, port)
    assert not is_allowed(policies, Place(PROMETHEUS.labels, "elsewhere"), target, port)
    before = list(of_kind(render(), "NetworkPolicy").values())
    assert target is EXPORTER or not is_allowed(before, PROMETHEUS, target, port)


def test_the_store_exposes_metrics_only_if_scraped(render: Render) -> None:
    def exposes(manifests: list[Manifest]) -> bool:
        store = of_kind(manifests, "StatefulSet")["weather-store"]["spec"]["template"]["spec"]
        return {"name": "MINIO_PROMETHEUS_AUTH_TYPE", "value": "public"} in store["containers"][0][
            "env"
        ]

    assert exposes(monitored(render))
    assert not exposes(render())
    assert not exposes(monitored(render, {"monitoring": {"serviceMonitors": {"enabled": False}}}))


SCHEDULES = [({}, EACH_HOUR), ({"schedule": {"everyHours": 3}}, EVERY_3_HOURS)]


@pytest.mark.parametrize(("values", "numbers"), SCHEDULES)
def test_rules_equal_the_files_tested_by_promtool(
    render: Render, values: dict[str, Any], numbers: dict[str, str]
) -> None:
    made = of_kind(monitored(render, values), "PrometheusRule")
    for name, file in RULES.items():
        assert made[f"weather-{name}"]["spec"] == yaml.safe_load(content(file, numbers))


def test_freshness_can_be_stricter_than_its_default(render: Render) -> None:
    manifests = monitored(render, {"schedule": {"everyHours": 3, "freshHours": 4}})
    rules = str(of_kind(manifests, "PrometheusRule")["weather-freshness"]["spec"])
    assert ">= bool 14400" in rules
    assert "more than 4 hours old" in rules
    [board] = dashboards(manifests)["weather-dashboard-data"]["data"].values()
    thresholds = json.loads(board)["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [each["value"] for each in thresholds] == [None, 12600, 14400]


@pytest.mark.parametrize(("values", "numbers"), SCHEDULES)
def test_dashboards_equal_the_files_and_have_the_label(
    render: Render, values: dict[str, Any], numbers: dict[str, str]
) -> None:
    labelled = {**values, "monitoring": {"dashboards": {"label": "my/boards"}}}
    made = dashboards(monitored(render, labelled))
    for name, file in DASHBOARDS.items():
        board = made[f"weather-dashboard-{name}"]
        [(key, text)] = board["data"].items()
        assert key == f"weather-{name}.json"
        assert json.loads(text) == json.loads(content(file, numbers))
        assert board["metadata"]["labels"]["my/boards"] == "1"


def test_rules_and_dashboards_have_the_installations_names(render: Render) -> None:
    """Runbook links and the dashboards' namespaces come from the values."""
    manifests = monitored(
        render,
        {
            "airflow": {"namespace": "flow"},
            "monitoring": {
                "labels": {"release": "watch"},
                "rules": {"runbooks": "https://example.org/books/"},
            },
        },
    )
    made = of_kind(manifests, "PrometheusRule")["weather-freshness"]
    assert made["metadata"]["labels"]["release"] == "watch"
    links = {
        rule["annotations"]["runbook_url"]
        for group in made["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    assert links == {"https://example.org/books/WeatherDataStale.md"}
    [board] = dashboards(manifests)["weather-dashboard-platform"]["data"].values()
    assert 'namespace=~\\"weather|flow\\"' in board
    assert "weather|airflow" not in board


def test_monitoring_objects_are_in_our_namespaces(render: Render) -> None:
    for each in monitored(render, EVERYTHING):
        assert each["metadata"]["namespace"] in {"weather", "airflow"}
