"""Passwords: made at the first installation, kept by every upgrade, and nowhere but in Secrets."""

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


def test_no_password_is_in_plain_sight(manifests: list[Manifest]) -> None:
    assert plain_secrets(manifests) == []


def test_no_password_could_be_guessed(manifests: list[Manifest]) -> None:
    assert weak_secrets(manifests) == []


def test_each_installation_makes_passwords_of_its_own(render: Render, secrets: Secrets) -> None:
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
def test_an_upgrade_with_nothing_changed_changes_nothing(
    render: Render, values: dict[str, Any]
) -> None:
    """Neither a password nor, with it, a pod's template or a job's name."""
    installed = render(values)
    present = list(of_kind(installed, "Secret").values())
    with kubernetes_api(kinds=installed, present=present) as address:
        upgraded = render(values, *SERVER_SIDE, f"--kube-apiserver={address}")
    assert upgraded == installed


SERVER_SIDE = ("--is-upgrade", "--dry-run=server", "--disable-openapi-validation")


def test_a_secret_that_is_gone_is_made_anew_and_the_others_stay(render: Render) -> None:
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


def test_a_password_that_two_secrets_hold_is_the_same_in_both(secrets: Secrets) -> None:
    roles = secrets["weather-postgres"]
    assert secrets["weather-lake-dbt"]["PGPASSWORD"] == roles["LAKE_WRITER_PASSWORD"]
    assert secrets["weather-lake-api"]["PGPASSWORD"] == roles["LAKE_READER_PASSWORD"]
    address = urlsplit(secrets["weather-airflow-metadata"]["connection"])
    assert address.password == roles["AIRFLOW_PASSWORD"]
    connection = json.loads(secrets["weather-airflow-logs"]["AIRFLOW_CONN_WEATHER_LOGS"])
    user = secrets["weather-store-airflow"]
    assert connection["login"] == user["AWS_ACCESS_KEY_ID"]
    assert connection["password"] == user["AWS_SECRET_ACCESS_KEY"]


def test_airflow_finds_the_services_from_its_own_namespace(secrets: Secrets) -> None:
    """By the driver's plain name, of which Airflow derives the one of its asynchronous driver."""
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


def test_the_catalogs_address_holds_no_password_and_names_the_role(secrets: Secrets) -> None:
    for secret, role in (("weather-lake-dbt", "lake_writer"), ("weather-lake-api", "lake_reader")):
        catalog = secrets[secret]["LAKE_CATALOG"]
        assert catalog.startswith("postgres:")
        words = dict(word.split("=") for word in catalog.removeprefix("postgres:").split())
        assert (words["host"], words["dbname"], words["user"]) == ("weather-postgres", "lake", role)
        assert "password" not in words


def test_the_fernet_key_is_one(secrets: Secrets) -> None:
    key = secrets["weather-airflow-fernet-key"]["fernet-key"]
    assert len(base64.urlsafe_b64decode(key)) == 32
    assert not set(key) & set("+/")


def test_keys_fit_minio_and_airflows_signatures(secrets: Secrets) -> None:
    """MinIO takes 3 to 20 and 8 to 40 characters; HS512 wants 64 bytes."""
    for user in USERS:
        keys = secrets[f"weather-store-{user}"]
        assert 3 <= len(keys["AWS_ACCESS_KEY_ID"]) <= 20
        assert 8 <= len(keys["AWS_SECRET_ACCESS_KEY"]) <= 40
    assert len(secrets["weather-airflow-jwt-secret"]["jwt-secret"]) >= 64


def test_secrets_are_where_they_are_read(render: Render) -> None:
    for name, secret in of_kind(render(EVERYTHING), "Secret").items():
        is_airflows = name.startswith("weather-airflow-")
        assert secret["metadata"]["namespace"] == ("airflow" if is_airflows else "weather")
