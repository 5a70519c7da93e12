"""Environment variables of the local pipeline: defaults and inherited values."""

import os
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from local.environment import (
    PROJECT,
    StateDirectory,
    base_environment,
    make_credentials,
    with_defaults,
)


def environment(state: StateDirectory, **outside: str) -> dict[str, str]:
    return base_environment(outside, make_credentials(), state)


def test_an_inherited_variable_overrides_a_default() -> None:
    assert with_defaults({"A": "outside"}, {"A": "ours", "B": "ours"}) == {
        "A": "outside",
        "B": "ours",
    }


def test_an_empty_setting_counts_as_unset() -> None:
    assert with_defaults({"A": ""}, {"A": "ours"}) == {"A": "ours"}


@pytest.mark.parametrize(
    "name",
    [
        "WEATHER_LOCATIONS",
        "WEATHER_RUNTIME",
        "AIRFLOW_HOME",
        "AIRFLOW__CORE__DAGS_FOLDER",
        "DBT_PROFILES_DIR",
        "PGCONNECT_TIMEOUT",
    ],
)
def test_an_inherited_setting_overrides_every_default(state: StateDirectory, name: str) -> None:
    assert environment(state, **{name: "outside"})[name] == "outside"
    assert environment(state)[name] not in ("", "outside")


def test_an_unknown_variable_is_inherited(state: StateDirectory) -> None:
    assert environment(state, WEATHER_LOOKBACK_HOURS="24")["WEATHER_LOOKBACK_HOURS"] == "24"


def test_programs_of_the_virtual_environment_come_first(state: StateDirectory) -> None:
    path = environment(state, PATH="/usr/bin")["PATH"]
    assert path == f"{Path(sys.executable).parent}{os.pathsep}/usr/bin"


def test_packages_of_the_project_come_first(state: StateDirectory) -> None:
    folders = environment(state, PYTHONPATH="/elsewhere")["PYTHONPATH"].split(os.pathsep)
    assert folders == [str(PROJECT), "/elsewhere"]


def test_connections_to_this_machine_use_no_proxy(state: StateDirectory) -> None:
    assert environment(state, NO_PROXY="example.org")["NO_PROXY"] == (
        "example.org,127.0.0.1,localhost"
    )


@pytest.mark.parametrize(
    ("outside", "expected"),
    [
        ({"NO_PROXY": "a.org"}, "a.org,127.0.0.1,localhost"),
        ({"no_proxy": "a.org"}, "a.org,127.0.0.1,localhost"),
        ({"no_proxy": "a.org", "NO_PROXY": "b.org"}, "a.org,127.0.0.1,localhost"),
    ],
)
def test_both_cases_of_no_proxy_have_the_same_value(
    state: StateDirectory, outside: dict[str, str], expected: str
) -> None:
    """Clients that read both variables prefer `no_proxy`."""
    made = environment(state, **outside)
    assert (made["no_proxy"], made["NO_PROXY"]) == (expected, expected)


def test_aws_endpoint_url_s3_takes_precedence(state: StateDirectory) -> None:
    made = environment(state, AWS_ENDPOINT_URL="https://a", AWS_ENDPOINT_URL_S3="https://b")
    assert made["AWS_ENDPOINT_URL"] == "https://b"


def test_telemetry_is_off(state: StateDirectory) -> None:
    made = environment(state)
    assert made["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] == "False"
    assert made["AIRFLOW__COSMOS__ENABLE_TELEMETRY"] == "False"
    assert made["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"


def test_airflow_listens_on_loopback_and_requires_a_password(state: StateDirectory) -> None:
    made = environment(state)
    assert made["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert made["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] == "False"


@pytest.mark.parametrize("name", ["MAKEFLAGS", "MAKELEVEL", "CMD", "COMMAND", "PYTHONHOME"])
def test_variables_of_make_and_python_are_not_inherited(state: StateDirectory, name: str) -> None:
    assert name not in environment(state, **{name: "outside"})


def test_the_database_url_quotes_any_path(state: StateDirectory) -> None:
    made = environment(StateDirectory(state.root / "50%2F? #1"))
    address = make_url(made["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
    assert address.database == str(state.root / "50%2F? #1" / "airflow" / "airflow.db")


@pytest.mark.parametrize("kind", ["", "_CMD", "_SECRET"])
def test_the_database_url_may_be_set_in_each_form(state: StateDirectory, kind: str) -> None:
    made = environment(state, **{f"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN{kind}": "outside"})
    assert made.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "outside") == "outside"


def test_an_inherited_airflow_home_keeps_its_own_configuration(state: StateDirectory) -> None:
    assert "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" not in environment(state, AIRFLOW_HOME="/srv")
