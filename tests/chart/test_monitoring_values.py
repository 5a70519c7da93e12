"""The chart kube-prometheus-stack with our values: it finds ours, and keeps what levels need."""

import os
import re
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

from tests.chart.conftest import Render as RenderOurs
from tests.chart.helm import PROJECT, Helm, of_kind
from tests.chart.test_monitoring import PROMETHEUS, dashboards, monitored
from tests.pod_rules import Manifest

VALUES = PROJECT / "helm-values" / "monitoring.yaml"


Rendered = Callable[..., list[Manifest]]


@pytest.fixture(scope="session")
def rendered(helm: Helm) -> Rendered:
    """Render the chart with our values, and with further arguments."""
    archive = os.environ.get("MONITORING_CHART", "")
    if not Path(archive).is_file():
        pytest.skip(
            "MONITORING_CHART names no archive of kube-prometheus-stack: it is not rendered"
        )
    return lambda *arguments: helm.rendered(
        Path(archive), "monitoring", "monitoring", f"--values={VALUES}", *arguments
    )


@pytest.fixture(scope="session")
def manifests(rendered: Rendered) -> list[Manifest]:
    return rendered()


def alertmanager(manifests: list[Manifest]) -> dict[str, Any]:
    secret = of_kind(manifests, "Secret")["alertmanager-monitoring-kube-prometheus-alertmanager"]
    configuration: dict[str, Any] = yaml.safe_load(b64decode(secret["data"]["alertmanager.yaml"]))
    return configuration


def prometheus(manifests: list[Manifest]) -> dict[str, Any]:
    [found] = of_kind(manifests, "Prometheus").values()
    return dict(found["spec"])


def test_it_takes_monitors_and_rules_of_every_namespace(manifests: list[Manifest]) -> None:
    spec = prometheus(manifests)
    for kind in ("serviceMonitor", "rule"):
        assert spec[f"{kind}Selector"] == {}
        assert spec[f"{kind}NamespaceSelector"] == {}


def test_it_remembers_as_long_as_the_service_levels_look_back(manifests: list[Manifest]) -> None:
    spec = prometheus(manifests)
    assert int(spec["retention"].removesuffix("d")) >= 30
    claim = spec["storage"]["volumeClaimTemplate"]["spec"]["resources"]["requests"]["storage"]
    assert int(spec["retentionSize"].removesuffix("GB")) < int(claim.removesuffix("Gi"))


def test_grafana_s_sidecar_looks_for_our_label(
    manifests: list[Manifest], render: RenderOurs
) -> None:
    grafana = of_kind(manifests, "Deployment")["monitoring-grafana"]["spec"]["template"]["spec"]
    [sidecar] = [c for c in grafana["containers"] if c["name"] == "grafana-sc-dashboard"]
    said = {each["name"]: each.get("value") for each in sidecar["env"]}
    assert said["NAMESPACE"] == "ALL"
    assert dashboards(monitored(render))
    for board in dashboards(monitored(render)).values():
        assert board["metadata"]["labels"][str(said["LABEL"])] == said["LABEL_VALUE"]


def test_our_policies_let_its_prometheus_in(manifests: list[Manifest], render: RenderOurs) -> None:
    """The operator labels the pods of a Prometheus with that name."""
    [found] = of_kind(manifests, "Prometheus").values()
    assert found["metadata"]["namespace"] == PROMETHEUS.namespace
    values = yaml.safe_load((PROJECT / "chart" / "values.yaml").read_text(encoding="utf-8"))
    assert values["monitoring"]["namespace"] == PROMETHEUS.namespace


def test_the_warning_of_a_critical_alert_is_held_back(manifests: list[Manifest]) -> None:
    """Alerts come as `critical` and as `warning` under one name."""
    assert {
        "source_matchers": ["severity = critical"],
        "target_matchers": ["severity =~ warning|info"],
        "equal": ["namespace", "alertname"],
    } in alertmanager(manifests)["inhibit_rules"]


def test_who_is_named_as_the_page_says_is_told_of_our_alerts_alone(
    rendered: Rendered, tmp_path: Path
) -> None:
    page = (PROJECT / "docs" / "service-levels.md").read_text(encoding="utf-8")
    shown = re.search(r"^    alertmanager:\n(?: {4}.*\n)+", page, re.MULTILINE)
    assert shown
    file = tmp_path / "my-alerts.yaml"
    file.write_text(dedent(shown[0]), encoding="utf-8")
    told = alertmanager(rendered(f"--values={file}"))
    assert told["route"]["receiver"] == "on-call"
    [route] = told["route"]["routes"]
    assert route == {"receiver": "nobody", "matchers": ["severity =~ none|info"]}
    assert [each["name"] for each in told["receivers"]] == ["nobody", "on-call"]


def test_no_alert_takes_our_quota_for_a_reservation(manifests: list[Manifest]) -> None:
    names = {
        rule["alert"]
        for each in of_kind(manifests, "PrometheusRule").values()
        for group in each["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    assert "KubeQuotaExceeded" in names
    assert not {name for name in names if name.endswith("QuotaOvercommit")}


def test_one_version_of_the_chart_is_meant_everywhere() -> None:
    def found(file: str, pattern: str) -> list[str]:
        return re.findall(pattern, (PROJECT / file).read_text(encoding="utf-8"))

    [installed] = found("scripts/cluster/common", r"helm-charts --version ([\d.]+)\)")
    assert found("helm-values/monitoring.yaml", r"# version ([\d.]+)\.\n") == [installed]
