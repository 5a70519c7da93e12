"""Read and validate the set-up job's configuration. Needs no store."""

import pytest

from tests.weather.store_setup.conftest import Setup
from weather.errors import ExitCode, StepError
from weather.store_setup.config import Credentials, read_config

pytestmark = pytest.mark.slow


def test_users_come_from_secrets_and_policies(setup: Setup) -> None:
    config = read_config(setup.environment)
    assert [(user.name, user.credentials) for user in config.users] == [
        ("reader", Credentials("test-reader", "password-2")),
        ("writer", Credentials("test-writer", "password-1")),
    ]
    assert config.buckets == ["weather", "airflow-logs"]


def test_expiry_days_are_per_bucket_and_optional(setup: Setup) -> None:
    assert read_config(setup.environment).kept_days == {}
    environment = {**setup.environment, "STORE_KEPT_DAYS": "airflow-logs=90, weather=7"}
    assert read_config(environment).kept_days == {"airflow-logs": 90, "weather": 7}


@pytest.mark.parametrize(
    "days", ["90", "weather=", "weather=0", "weather=-1", "weather=soon", "=90", "another=90"]
)
def test_malformed_expiry_days_are_reported(setup: Setup, days: str) -> None:
    with pytest.raises(StepError, match=f"STORE_KEPT_DAYS: '{days}'"):
        read_config({**setup.environment, "STORE_KEPT_DAYS": days})


def test_repr_of_config_shows_no_password(setup: Setup) -> None:
    assert "password" not in repr(read_config(setup.environment))


@pytest.mark.parametrize(
    "name", ["AWS_ENDPOINT_URL", "MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD", "STORE_BUCKETS"]
)
def test_a_missing_variable_is_reported(setup: Setup, name: str) -> None:
    ended = setup.run(**{name: ""})
    assert ended.returncode == ExitCode.SETTING
    assert ended.stderr.startswith(f"store_setup: {name} is missing.")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("users/reader/AWS_SECRET_ACCESS_KEY", "reader/AWS_SECRET_ACCESS_KEY cannot be read"),
        ("policies/reader.json", "User 'reader' has no "),
    ],
)
def test_a_missing_file_is_reported(setup: Setup, missing: str, message: str) -> None:
    (setup.folder / missing).unlink()
    with pytest.raises(StepError, match=message):
        read_config(setup.environment)


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_a_malformed_policy_file_is_reported(setup: Setup, content: str) -> None:
    (setup.folder / "policies" / "reader.json").write_text(content)
    with pytest.raises(StepError, match=r"reader\.json is "):
        read_config(setup.environment)


@pytest.mark.parametrize("endpoint", ["weather-store:9000", "http://", "s3://weather-store"])
def test_a_malformed_endpoint_is_reported(setup: Setup, endpoint: str) -> None:
    ended = setup.run(AWS_ENDPOINT_URL=endpoint)
    assert ended.returncode == ExitCode.SETTING
    assert ended.stderr.startswith(f"store_setup: AWS_ENDPOINT_URL: '{endpoint}': ")
    assert ended.stderr.count("\n") == 1


def test_an_unreachable_store_times_out(setup: Setup) -> None:
    ended = setup.run()
    assert ended.returncode == ExitCode.UNAVAILABLE
    assert setup.environment["AWS_ENDPOINT_URL"] in ended.stderr
    assert ended.stderr.count("\n") == 1
