"""The chart kube-prometheus-stack with our values."""

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
    """Factory of the chart's manifests with our values and further arguments."""
    archive = os.environ.get("MONITORING_CHART", "")
    if not Path(archive).is_file():
        pytest.skip("chart archive not found: set MONITORING_CHART to kube-prometheus-stack")
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


def test_prometheus_selects_monitors_of_every_namespace(manifests: list[Manifest]) -> None:
    spec = prometheus(manifests)
    for kind in ("serviceMonitor", "rule"):
        assert spec[f"{kind}Selector"] == {}
        assert spec[f"{kind}NamespaceSelector"] == {}


def test_retention_covers_the_service_levels(manifests: list[Manifest]) -> None:
    spec = prometheus(manifests)
    assert int(spec["retention"].removesuffix("d")) >= 30
    claim = spec["storage"]["volumeClaimTemplate"]["spec"]["resources"]["requests"]["storage"]
    assert int(spec["retentionSize"].removesuffix("GB")) < int(claim.removesuffix("Gi"))


def test_grafanas_sidecar_selects_our_label(manifests: list[Manifest], render: RenderOurs) -> None:
    grafana = of_kind(manifests, "Deployment")["monitoring-grafana"]["spec"]["template"]["spec"]
    [sidecar] = [c for c in grafana["containers"] if c["name"] == "grafana-sc-dashboard"]
    settings = {each["name"]: each.get("value") for each in sidecar["env"]}
    assert settings["NAMESPACE"] == "ALL"
    assert dashboards(monitored(render))
    for board in dashboards(monitored(render)).values():
        assert board["metadata"]["labels"][str(settings["LABEL"])] == settings["LABEL_VALUE"]


def test_our_network_policies_allow_this_prometheus(
    manifests: list[Manifest], render: RenderOurs
) -> None:
    """Our NetworkPolicies select the namespace of this Prometheus."""
    [found] = of_kind(manifests, "Prometheus").values()
    assert found["metadata"]["namespace"] == PROMETHEUS.namespace
    values = yaml.safe_load((PROJECT / "chart" / "values.yaml").read_text(encoding="utf-8"))
    assert values["monitoring"]["namespace"] == PROMETHEUS.namespace


def test_a_critical_alert_inhibits_its_warning(manifests: list[Manifest]) -> None:
    """An alert fires as `critical` and as `warning` with the same name."""
    assert {
        "source_matchers": ["severity = critical"],
        "target_matchers": ["severity =~ warning|info"],
        "equal": ["namespace", "alertname"],
    } in alertmanager(manifests)["inhibit_rules"]


def test_a_receiver_gets_only_our_alerts(rendered: Rendered, tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "service-levels.md").read_text(encoding="utf-8")
    shown = re.search(r"^    alertmanager:\n(?: {4}.*\n)+", page, re.MULTILINE)
    assert shown
    file = tmp_path / "my-alerts.yaml"
    file.write_text(dedent(shown[0]), encoding="utf-8")
    configuration = alertmanager(rendered(f"--values={file}"))
    assert configuration["route"]["receiver"] == "on-call"
    [route] = configuration["route"]["routes"]
    assert route == {"receiver": "nobody", "matchers": ["severity =~ none|info"]}
    assert [each["name"] for each in configuration["receivers"]] == ["nobody", "on-call"]


def test_quota_overcommit_alerts_are_disabled(manifests: list[Manifest]) -> None:
    names = {
        rule["alert"]
        for each in of_kind(manifests, "PrometheusRule").values()
        for group in each["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    assert "KubeQuotaExceeded" in names
    assert not {name for name in names if name.endswith("QuotaOvercommit")}


def test_the_charts_version_is_the_same_everywhere() -> None:
    def found(file: str, pattern: str) -> list[str]:
        return re.findall(pattern, (PROJECT / file).read_text(encoding="utf-8"))

    [installed] = found("scripts/cluster/common", r"helm-charts --version ([\d.]+)\)")
    assert found("helm-values/monitoring.yaml", r"# version ([\d.]+)\.\n") == [installed]
