"""Passwords: generated once, kept by upgrades, and only in Secrets."""

import base64
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.chart.conftest import EVERYTHING, VALUES, Render
from tests.chart.helm import of_kind
from tests.chart.kubernetes_api import kubernetes_api
from tests.plain_secrets import plain_secrets, secret_values, weak_secrets
from tests.pod_rules import Manifest

Secrets = dict[str, dict[str, str]]


def secrets_in(manifests: list[Manifest]) -> Secrets:
    return {
        name: secret_values(manifest) for name, manifest in of_kind(manifests, "Secret").items()
    }


@pytest.fixture(scope="module")
def secrets(render: Render) -> Secrets:
    return secrets_in(render())


def test_no_password_is_outside_secrets(manifests: list[Manifest]) -> None:
    assert plain_secrets(manifests) == []


def test_no_password_is_weak(manifests: list[Manifest]) -> None:
    assert weak_secrets(manifests) == []


def test_each_installation_generates_passwords(render: Render, secrets: Secrets) -> None:
    others = secrets_in(render())
    assert set(others) == set(secrets)
    constant = {
        (name, key)
        for name, values in secrets.items()
        for key, value in values.items()
        if others[name][key] == value
    }
    assert constant == {
        ("weather-store-root", "MINIO_ROOT_USER"),
        *((f"weather-store-{user}", "AWS_ACCESS_KEY_ID") for user in USERS),
        ("weather-lake-dbt", "LAKE_CATALOG"),
        ("weather-lake-api", "LAKE_CATALOG"),
        ("weather-airflow-login", "username"),
    }


USERS = ("ingest", "dbt", "api", "airflow")


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_an_upgrade_without_changes_changes_nothing(render: Render, values: dict[str, Any]) -> None:
    """Passwords stay, and therefore pod templates and job names."""
    installed = render(values)
    present = list(of_kind(installed, "Secret").values())
    with kubernetes_api(kinds=installed, present=present) as address:
        upgraded = render(values, *SERVER_SIDE, f"--kube-apiserver={address}")
    assert upgraded == installed


SERVER_SIDE = ("--is-upgrade", "--dry-run=server", "--disable-openapi-validation")


def test_only_a_missing_secret_is_regenerated(render: Render) -> None:
    installed = render()
    present = of_kind(installed, "Secret")
    lost = present.pop("weather-store-ingest")
    with kubernetes_api(kinds=installed, present=list(present.values())) as address:
        upgraded = render({}, *SERVER_SIDE, f"--kube-apiserver={address}")
    changed = {
        each["metadata"]["name"]
        for each, before in zip(upgraded, installed, strict=True)
        if each != before
    }
    assert changed == {lost["metadata"]["name"]}


def test_passwords_in_two_secrets_are_equal(secrets: Secrets) -> None:
    roles = secrets["weather-postgres"]
    assert secrets["weather-lake-dbt"]["PGPASSWORD"] == roles["LAKE_WRITER_PASSWORD"]
    assert secrets["weather-lake-api"]["PGPASSWORD"] == roles["LAKE_READER_PASSWORD"]
    address = urlsplit(secrets["weather-airflow-metadata"]["connection"])
    assert address.password == roles["AIRFLOW_PASSWORD"]
    connection = json.loads(secrets["weather-airflow-logs"]["AIRFLOW_CONN_WEATHER_LOGS"])
    user = secrets["weather-store-airflow"]
    assert connection["login"] == user["AWS_ACCESS_KEY_ID"]
    assert connection["password"] == user["AWS_SECRET_ACCESS_KEY"]


def test_airflows_connections_name_the_namespace(secrets: Secrets) -> None:
    """Airflow derives the asynchronous scheme from plain `postgresql`."""
    address = urlsplit(secrets["weather-airflow-metadata"]["connection"])
    assert (address.scheme, address.username, address.hostname, address.port, address.path) == (
        "postgresql",
        "airflow",
        "weather-postgres.weather.svc",
        5432,
        "/airflow",
    )
    connection = json.loads(secrets["weather-airflow-logs"]["AIRFLOW_CONN_WEATHER_LOGS"])
    assert connection["conn_type"] == "aws"
    assert connection["extra"]["endpoint_url"] == "http://weather-store.weather.svc:9000"


def test_the_catalog_address_has_the_role_and_no_password(secrets: Secrets) -> None:
    for secret, role in (("weather-lake-dbt", "lake_writer"), ("weather-lake-api", "lake_reader")):
        catalog = secrets[secret]["LAKE_CATALOG"]
        assert catalog.startswith("postgres:")
        words = dict(word.split("=") for word in catalog.removeprefix("postgres:").split())
        assert (words["host"], words["dbname"], words["user"]) == ("weather-postgres", "lake", role)
        assert "password" not in words


def test_the_fernet_key_is_valid(secrets: Secrets) -> None:
    key = secrets["weather-airflow-fernet-key"]["fernet-key"]
    assert len(base64.urlsafe_b64decode(key)) == 32
    assert not set(key) & set("+/")


def test_keys_have_the_required_lengths(secrets: Secrets) -> None:
    """MinIO accepts 3 to 20 and 8 to 40 characters. HS512 needs 64 bytes."""
    for user in USERS:
        keys = secrets[f"weather-store-{user}"]
        assert 3 <= len(keys["AWS_ACCESS_KEY_ID"]) <= 20
        assert 8 <= len(keys["AWS_SECRET_ACCESS_KEY"]) <= 40
    assert len(secrets["weather-airflow-jwt-secret"]["jwt-secret"]) >= 64


def test_secrets_are_in_the_namespace_of_their_readers(render: Render) -> None:
    for name, secret in of_kind(render(EVERYTHING), "Secret").items():
        is_airflows = name.startswith("weather-airflow-")
        assert secret["metadata"]["namespace"] == ("airflow" if is_airflows else "weather")
