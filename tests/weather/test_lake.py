"""What a lake that cannot be opened says."""

import pytest

from weather.exit_codes import ExitCode, StepError
from weather.lake import attached_lake
from weather.settings import LakeSettings, read_settings


@pytest.mark.parametrize(
    "catalog",
    [
        "postgres:host=127.0.0.1 port=1 dbname=lake user=weather password=hush-hush",
        "postgres:postgresql://weather:hush-hush@127.0.0.1:1/lake",
        "sqlite:/nowhere/hush-hush.sqlite",
    ],
)
def test_the_message_names_the_settings_and_no_password(
    environment: None, monkeypatch: pytest.MonkeyPatch, catalog: str
) -> None:
    monkeypatch.setenv("LAKE_CATALOG", catalog)
    with (
        pytest.raises(StepError, match="LAKE_CATALOG and AWS_ENDPOINT_URL") as failure,
        attached_lake(read_settings(LakeSettings)),
    ):
        pass
    assert failure.value.exit_code == ExitCode.UNAVAILABLE
    assert "hush-hush" not in str(failure.value)
