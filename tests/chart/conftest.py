"""Render the chart with its defaults, and with every option enabled."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.chart.helm import CHART, Helm, required_helm
from tests.pod_rules import Manifest

TAG = "3f2a9c1d7b60"

EVERYTHING: dict[str, Any] = {
    "replay": {"enabled": True},
    "api": {
        "autoscaling": {"enabled": True},
        "ingress": {
            "enabled": True,
            "className": "nginx",
            "host": "weather.example.org",
            "annotations": {"cert-manager.io/cluster-issuer": "letsencrypt"},
            "tlsSecretName": "weather-tls",
        },
    },
}

EXTERNAL: dict[str, Any] = yaml.safe_load(
    (CHART / "examples" / "outside-stores.yaml").read_text(encoding="utf-8")
)

VALUES = {"own values": {}, "everything": EVERYTHING, "external stores": EXTERNAL}

Render = Callable[..., list[Manifest]]


@pytest.fixture(scope="session")
def helm() -> Helm:
    """Helm program of HELM or PATH. Without Helm, the tests are skipped."""
    return required_helm()


@pytest.fixture(scope="session")
def render(helm: Helm) -> Render:
    """Factory of the chart's manifests for given values."""

    def rendered(values: dict[str, Any] | None = None, *arguments: str) -> list[Manifest]:
        return helm.rendered(
            CHART,
            "weather",
            "weather",
            f"--set-string=image.tag={TAG}",
            *arguments,
            values=values,
        )

    return rendered


@pytest.fixture(scope="session", params=list(VALUES))
def manifests(request: pytest.FixtureRequest, render: Render) -> list[Manifest]:
    """Rendered manifests for each set of values."""
    return render(VALUES[request.param])
