"""What a lake that cannot be opened says, and how long it is waited for."""

from concurrent.futures import wait

import pytest

from api.background import in_background
from tests.api.silent_catalog import silent_catalog
from weather.exit_codes import ExitCode, StepError
from weather.lake import TIME_LIMITS, attached_lake
from weather.settings import LakeSettings, read_settings


def failure(catalog: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Why the lake of that catalog cannot be opened."""
    monkeypatch.setenv("LAKE_CATALOG", catalog)
    with (
        pytest.raises(StepError, match="LAKE_CATALOG and AWS_ENDPOINT_URL") as failed,
        attached_lake(read_settings(LakeSettings)),
    ):
        pass
    assert failed.value.exit_code == ExitCode.UNAVAILABLE
    return str(failed.value)


@pytest.mark.parametrize(
    "catalog",
    [
        "postgres:host=127.0.0.1 port=1 dbname=hush-hush user=weather",
        "postgres:postgresql://weather@127.0.0.1:1/hush-hush",
        "postgres:postgresql://weather@127.0.0.1:1/hush-hush?sslmode=disable",
        "sqlite:/nowhere/hush-hush.sqlite",
    ],
)
def test_the_message_names_the_settings_and_not_what_they_are(
    environment: None, monkeypatch: pytest.MonkeyPatch, catalog: str
) -> None:
    assert "hush-hush" not in failure(catalog, monkeypatch)


@pytest.mark.parametrize("address", ["host={} port={} user=weather", "postgresql://weather@{}:{}"])
def test_a_silent_catalog_is_not_waited_for_for_ever(
    environment: None, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setitem(TIME_LIMITS, "connect_timeout", "2")
    with silent_catalog() as port:
        catalog = f"postgres:{address.format('127.0.0.1', port)}"
        opening = in_background(lambda: failure(catalog, monkeypatch))
        # Not until it ends by itself: when the block does, it is told so.
        wait([opening], 60)
        assert opening.done()
    assert "timeout" in opening.result()


@pytest.mark.parametrize(
    "catalog",
    [
        "postgres:host=127.0.0.1 port=1 connect_timeout=soon",
        "postgres:postgresql://127.0.0.1:1/lake?connect_timeout=soon",
    ],
)
def test_a_users_own_limits_count(
    environment: None, monkeypatch: pytest.MonkeyPatch, catalog: str
) -> None:
    assert 'invalid integer value "soon"' in failure(catalog, monkeypatch)


def test_the_environments_limit_counts(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "soon")
    assert 'invalid integer value "soon"' in failure("postgres:host=127.0.0.1", monkeypatch)
