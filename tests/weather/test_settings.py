"""Settings from environment variables, and messages about invalid ones."""

import os

import pytest

from weather.errors import ExitCode, StepError
from weather.schedule import ScheduleSettings
from weather.settings import (
    LakeSettings,
    PipelineSettings,
    SettingsGroup,
    SourceSettings,
    StoreSettings,
    read_settings,
)

SECRET = "a-secret-nobody-may-see"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": SECRET, "AWS_SECRET_ACCESS_KEY": SECRET}
GROUPS = [SourceSettings, PipelineSettings, ScheduleSettings, StoreSettings, LakeSettings]


@pytest.fixture(autouse=True)
def _only_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset all settings except the store's credentials and the lake."""
    for name in list(os.environ):
        if name.startswith(("WEATHER_", "OPEN_METEO_", "LAKE_", "AWS_")):
            monkeypatch.delenv(name)
    for name, value in {**CREDENTIALS, "LAKE_CATALOG": "sqlite:lake.sqlite"}.items():
        monkeypatch.setenv(name, value)


def failure_of(group: type[SettingsGroup]) -> str:
    with pytest.raises(StepError) as failure:
        read_settings(group)
    assert failure.value.exit_code == ExitCode.SETTING
    assert "\n" not in str(failure.value)
    assert SECRET not in str(failure.value)
    return str(failure.value)


def test_defaults() -> None:
    pipeline = read_settings(PipelineSettings)
    source = read_settings(SourceSettings)
    assert source.open_meteo_url == "https://api.open-meteo.com"
    assert source.open_meteo_archive_url == "https://historical-forecast-api.open-meteo.com"
    assert source.open_meteo_api_key is None
    assert pipeline.weather_locations.name == "locations.yaml"
    assert pipeline.weather_runtime == "local"
    assert read_settings(StoreSettings).bucket_url == "s3://weather"


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        (SourceSettings, "OPEN_METEO_URL", "api.open-meteo.com"),
        (SourceSettings, "OPEN_METEO_URL", "ftp://api.open-meteo.com"),
        (SourceSettings, "OPEN_METEO_ARCHIVE_URL", "http://"),
        (PipelineSettings, "WEATHER_RUNTIME", "docker"),
        (ScheduleSettings, "WEATHER_SCHEDULE_HOURS", "0"),
        (ScheduleSettings, "WEATHER_SCHEDULE_HOURS", "5"),
        (ScheduleSettings, "WEATHER_SCHEDULE_HOURS", "-3"),
        (ScheduleSettings, "WEATHER_SCHEDULE_HOURS", "48"),
        (ScheduleSettings, "WEATHER_SCHEDULE_HOURS", "0.5"),
        (ScheduleSettings, "WEATHER_LOOKBACK_HOURS", "0"),
        (ScheduleSettings, "WEATHER_LOOKBACK_HOURS", "a week"),
        (ScheduleSettings, "WEATHER_UPKEEP_HOUR", "24"),
        (ScheduleSettings, "WEATHER_UPKEEP_HOUR", "3:00"),
        (ScheduleSettings, "WEATHER_FRESH_HOURS", "1"),
        (ScheduleSettings, "WEATHER_FRESH_HOURS", "169"),
        (StoreSettings, "WEATHER_BUCKET", "No Bucket"),
        (StoreSettings, "AWS_ENDPOINT_URL", "127.0.0.1:9000"),
        (StoreSettings, "AWS_ENDPOINT_URL", "https://example.org/storage/s3"),
        (StoreSettings, "AWS_ACCESS_KEY_ID", ""),
        (StoreSettings, "AWS_SECRET_ACCESS_KEY", ""),
        (LakeSettings, "LAKE_CATALOG", f"mysql:password={SECRET}"),
        (LakeSettings, "LAKE_CATALOG", ""),
    ],
)
def test_an_invalid_setting_is_reported_in_one_line(
    group: type[SettingsGroup], name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    message = failure_of(group)
    assert message.startswith(f"Wrong settings: {name}: ")
    assert ("is missing" in message) == (value == "")


@pytest.mark.parametrize(
    "address",
    [
        f"host=db user=weather password={SECRET}",
        f"PASSWORD = '{SECRET}' host=db",
        f"postgresql://weather:{SECRET}@db:5432/lake",
        f"postgres://weather@db/lake?sslmode=require&password={SECRET}",
    ],
)
def test_a_password_in_the_catalogs_address_is_rejected(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKE_CATALOG", f"postgres:{address}")
    message = failure_of(LakeSettings)
    assert message.startswith("Wrong settings: LAKE_CATALOG: ")
    assert "PGPASSWORD" in message


@pytest.mark.parametrize(
    "catalog",
    [
        "sqlite:/srv/a:b@c/lake.sqlite",
        "postgres:host=db port=5432 user=weather passfile=/run/passwords",
        "postgres:postgresql://weather@db:5432,other:5432/lake?sslmode=require",
    ],
)
def test_a_catalog_address_without_a_password_is_accepted(
    catalog: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKE_CATALOG", catalog)
    assert read_settings(LakeSettings).lake_catalog == catalog


def test_all_invalid_settings_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "WEATHER_BUCKET": "No Bucket",
        "AWS_ENDPOINT_URL": "nowhere",
        "AWS_CA_BUNDLE": "/a.pem",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    message = failure_of(StoreSettings)
    assert all(f"{name}: " in message for name in wrong)


def test_the_s3_keys_are_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    assert read_settings(StoreSettings).aws_access_key_id is None


def test_aws_default_region_is_the_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    assert read_settings(StoreSettings).aws_region == "eu-west-3"
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert read_settings(StoreSettings).aws_region == "eu-north-1"


def test_aws_endpoint_url_s3_takes_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://aws.example.org")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.example.org/")
    assert read_settings(StoreSettings).aws_endpoint_url == "https://s3.example.org"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "s3.example.org")
    assert "AWS_ENDPOINT_URL: " in failure_of(StoreSettings)


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    unset = read_settings(SourceSettings)
    for name in ("OPEN_METEO_URL", "OPEN_METEO_API_KEY"):
        monkeypatch.setenv(name, "")
    assert read_settings(SourceSettings) == unset


def test_a_trailing_slash_is_removed_from_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPEN_METEO_URL", "http://127.0.0.1:8000/weather/")
    assert read_settings(SourceSettings).open_meteo_url == "http://127.0.0.1:8000/weather"


@pytest.mark.parametrize("group", GROUPS)
def test_repr_of_settings_shows_no_secret(
    group: type[SettingsGroup], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPEN_METEO_API_KEY", SECRET)
    settings = read_settings(group)
    assert SECRET not in repr(settings) + str(settings)


@pytest.mark.parametrize("group", GROUPS)
def test_every_setting_has_a_description(group: type[SettingsGroup]) -> None:
    assert all(field.description for field in group.model_fields.values())
