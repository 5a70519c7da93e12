import os
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from local.credentials import make_credentials
from local.environment import base_environment, with_defaults
from local.folders import PROJECT, State


def environment(state: State, **outside: str) -> dict[str, str]:
    return base_environment(outside, make_credentials(), state)


def test_a_setting_from_outside_wins() -> None:
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
def test_every_default_yields_to_the_outside(state: State, name: str) -> None:
    assert environment(state, **{name: "outside"})[name] == "outside"
    assert environment(state)[name] not in ("", "outside")


def test_a_variable_that_we_do_not_know_is_passed_on(state: State) -> None:
    assert environment(state, WEATHER_LOOKBACK_HOURS="24")["WEATHER_LOOKBACK_HOURS"] == "24"


def test_programs_of_the_virtual_environment_come_first(state: State) -> None:
    path = environment(state, PATH="/usr/bin")["PATH"]
    assert path == f"{Path(sys.executable).parent}{os.pathsep}/usr/bin"


def test_packages_of_the_project_come_first(state: State) -> None:
    folders = environment(state, PYTHONPATH="/elsewhere")["PYTHONPATH"].split(os.pathsep)
    assert folders[0] == str(PROJECT)
    assert folders[-1] == "/elsewhere"
    assert {PROJECT / "images" / image for image in ("ingest", "dbt", "replay")} < {
        Path(folder) for folder in folders
    }


def test_no_proxy_stands_between_services_of_this_machine(state: State) -> None:
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
def test_both_names_of_no_proxy_mean_the_same(
    state: State, outside: dict[str, str], expected: str
) -> None:
    """Clients that read both prefer the one in small letters."""
    made = environment(state, **outside)
    assert (made["no_proxy"], made["NO_PROXY"]) == (expected, expected)


def test_an_address_for_s3_alone_names_the_store(state: State) -> None:
    made = environment(state, AWS_ENDPOINT_URL="https://a", AWS_ENDPOINT_URL_S3="https://b")
    assert made["AWS_ENDPOINT_URL"] == "https://b"


def test_nobody_is_told_what_runs_here(state: State) -> None:
    made = environment(state)
    assert made["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] == "False"
    assert made["AIRFLOW__COSMOS__ENABLE_TELEMETRY"] == "False"
    assert made["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"


def test_airflow_listens_on_loopback_and_asks_for_a_password(state: State) -> None:
    made = environment(state)
    assert made["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert made["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] == "False"


@pytest.mark.parametrize("name", ["MAKEFLAGS", "MAKELEVEL", "CMD", "COMMAND", "PYTHONHOME"])
def test_what_is_of_the_caller_only_stays_outside(state: State, name: str) -> None:
    assert name not in environment(state, **{name: "outside"})


def test_airflows_database_is_an_address_of_any_path(state: State) -> None:
    made = environment(State(state.root / "50%2F? #1"))
    address = make_url(made["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
    assert address.database == str(state.root / "50%2F? #1" / "airflow" / "airflow.db")


@pytest.mark.parametrize("kind", ["", "_CMD", "_SECRET"])
def test_airflows_database_may_be_named_in_each_of_its_ways(state: State, kind: str) -> None:
    made = environment(state, **{f"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN{kind}": "outside"})
    assert made.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "outside") == "outside"


def test_an_airflow_home_from_outside_keeps_what_its_own_file_says(state: State) -> None:
    assert "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" not in environment(state, AIRFLOW_HOME="/srv")
