"""The chart's notes after an installation."""

import json
import os
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.chart.conftest import EVERYTHING, EXTERNAL, TAG, Render
from tests.chart.helm import CHART, Helm, of_kind
from tests.chart.kubernetes_api import kubernetes_api
from tests.plain_secrets import secret_values
from tests.pod_rules import Manifest

Notes = Callable[[dict[str, Any]], tuple[str, list[Manifest]]]


@pytest.fixture(scope="module")
def notes(helm: Helm, render: Render) -> Notes:
    """Factory of the notes and manifests for given values. Installs nothing."""

    def of(values: dict[str, Any]) -> tuple[str, list[Manifest]]:
        with kubernetes_api(kinds=render(EVERYTHING), present=[]) as address:
            result = subprocess.run(
                [
                    *(helm.program, "install", "weather", str(CHART), "--namespace", "weather"),
                    *("--dry-run=server", "--disable-openapi-validation", "--output", "json"),
                    *(f"--set-string=image.tag={TAG}", "--values", "-"),
                    f"--kube-apiserver={address}",
                ],
                input=json.dumps(values),
                env={**os.environ, "KUBECONFIG": os.devnull},
                capture_output=True,
                text=True,
                check=False,
            )
        assert result.returncode == 0, result.stderr
        release = json.loads(result.stdout)
        return release["info"]["notes"], list(yaml.safe_load_all(release["manifest"]))

    return of


def test_notes_list_services_and_how_to_reach_them(notes: Notes) -> None:
    text, _ = notes({})
    for words in (
        f"images of tag {TAG}",
        "weather-api, 2 pods",
        "MinIO with 10Gi",
        "weather-postgres, with 5Gi",
        "https://api.open-meteo.com",
        "port-forward service/weather-api 8000:80",
        "port-forward service/weather-store 9001",
        "secret weather-airflow-login",
        "go-template='{{.data.password | base64decode}}'",
    ):
        assert words in text


def test_notes_list_the_volumes_kept_by_an_uninstall(notes: Notes) -> None:
    text, _ = notes({})
    assert "only the volumes stay" in text
    assert text.rstrip().endswith(
        "delete persistentvolumeclaims data-weather-store-0 data-weather-postgres-0"
    )


def test_notes_show_no_password(notes: Notes) -> None:
    text, manifests = notes({})
    secrets = of_kind(manifests, "Secret")
    assert len(secrets) > 10
    for secret in secrets.values():
        for key, value in secret_values(secret).items():
            is_name = key.endswith(("_ID", "_USER")) or key == "username"
            assert is_name or value not in text


def test_notes_show_the_ingress_url(notes: Notes) -> None:
    text, _ = notes(EVERYTHING)
    assert "https://weather.example.org/" in text
    assert "http://weather-replay:8000" in text
    assert "2 to 6 pods" in text


def test_notes_for_external_stores_link_the_example(notes: Notes) -> None:
    text, _ = notes(EXTERNAL)
    assert "AWS S3, bucket my-weather" in text
    assert "chart/examples/outside-stores.yaml" in text
    assert "persistentvolumeclaims" not in text
    assert "weather-store-root" not in text
