"""A read-only user who writes to a catalog in Postgres gets one line with the reason."""

import pytest

from tests.pipeline import Pipeline
from tests.weather.lake.postgres_catalog import (
    HAS_POSTGRES,
    NO_POSTGRES,
    PASSWORD,
    READERS_PASSWORD,
    running_catalog,
)
from weather.ducklake import attached_lake
from weather.errors import ExitCode, StepError
from weather.lake.__main__ import main
from weather.settings import LakeSettings, read_settings


@pytest.mark.skipif(not HAS_POSTGRES, reason=NO_POSTGRES)
def test_a_read_only_users_write_fails_with_the_reason(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_catalog() as catalog:
        monkeypatch.setenv("LAKE_CATALOG", catalog.address)
        monkeypatch.setenv("PGPASSWORD", PASSWORD)
        assert main(["create"]) == ExitCode.OK
        monkeypatch.setenv("LAKE_CATALOG", catalog.address.replace("lake_writer", "lake_reader"))
        monkeypatch.setenv("PGPASSWORD", READERS_PASSWORD)
        with (
            pytest.raises(StepError, match="ERROR: permission denied for table") as failure,
            attached_lake(read_settings(LakeSettings)) as lake,
        ):
            lake.execute("CREATE TABLE intruder (i integer)")
    assert "INSERT INTO" not in str(failure.value)
    assert "\n" not in str(failure.value)
