"""Restore a lost lake from a backup, and reject wrong sources and targets."""

from pathlib import Path

import pytest

from local.store import S3Server
from tests.pipeline import Pipeline
from tests.weather.buckets import made_bucket
from tests.weather.lake.filled_lake import END, LOOKBACK_HOURS, NOW, everything
from tests.weather.lake.lost_stores import api_responses, lose_both_stores
from tests.weather.lake.postgres_catalog import HAS_POSTGRES, NO_POSTGRES, PASSWORD, running_catalog
from weather.errors import ExitCode, StepError
from weather.lake.__main__ import main
from weather.lake.backup import back_up
from weather.lake.backup_storage import BackupStorage, FolderStorage
from weather.lake.restore import restore
from weather.lake.upkeep import TABLE_FILES, maintain
from weather.published import SOURCE_KEY
from weather.source import OPEN_METEO
from weather.window import HOUR


def test_a_lost_bucket_and_catalog_are_restored(
    lake: Pipeline, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    to = str(tmp_path / "backup")
    before, responses = everything(lake), api_responses(tmp_path / "before.log")
    assert main(["backup", "--to", to]) == ExitCode.OK
    lose_both_stores(lake)
    assert main(["restore", "--from", to]) == ExitCode.OK
    assert everything(lake) == before
    assert api_responses(tmp_path / "after.log") == responses
    assert len(responses[0]) > 300

    lake.run_hour(END + 2 * HOUR, LOOKBACK_HOURS)
    maintain(lake.settings, kept=NOW, grace=NOW)
    assert lake.rows("select count(*) from stg_weather") == [(3 * (LOOKBACK_HOURS + 2),)]


def test_a_catalog_moves_from_sqlite_to_postgres(
    lake_in_sqlite: Pipeline,
    folder: FolderStorage,
    s3_server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not HAS_POSTGRES:
        pytest.skip(NO_POSTGRES)
    before = everything(lake_in_sqlite)
    back_up(lake_in_sqlite.settings, folder)
    monkeypatch.setenv("WEATHER_BUCKET", made_bucket(s3_server))
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with running_catalog() as catalog:
        monkeypatch.setenv("LAKE_CATALOG", catalog.address)
        restore(lake_in_sqlite.settings, folder, replace=False)
        assert everything(lake_in_sqlite) == before
        lake_in_sqlite.run_hour(END + 2 * HOUR, LOOKBACK_HOURS)


def test_a_lake_with_data_is_replaced_only_with_replace(
    lake_in_sqlite: Pipeline, folder: FolderStorage, capfd: pytest.CaptureFixture[str]
) -> None:
    back_up(lake_in_sqlite.settings, folder)
    before = everything(lake_in_sqlite)
    lake_in_sqlite.run_hour(END + 30 * HOUR, LOOKBACK_HOURS)
    newer = everything(lake_in_sqlite)
    source = ["--from", folder.name]
    capfd.readouterr()
    assert main(["restore", *source]) == ExitCode.SETTING
    (line,) = capfd.readouterr().err.splitlines()
    assert "is not empty" in line
    assert "--replace" in line
    assert everything(lake_in_sqlite) == newer

    assert main(["restore", *source, "--replace"]) == ExitCode.OK
    restored = everything(lake_in_sqlite)
    assert restored[:-1] == before[:-1]
    # Later responses stay.
    assert restored[-1] == newer[-1]


def test_a_restore_keeps_newer_validated_responses(
    lake_in_sqlite: Pipeline, folder: FolderStorage
) -> None:
    store = lake_in_sqlite.store
    raw = next(key for key in store.list("raw/") if not key.endswith("-report.json"))
    rejected = f"rejected/{raw.removeprefix('raw/').removesuffix('.json')}-lyon.json"
    validated = store.get(raw) or b""
    assert b'"accepted":true' in validated
    store.put(raw, validated.replace(b'"accepted":true', b'"accepted":false'))
    store.put(rejected, b"{}")
    back_up(lake_in_sqlite.settings, folder)
    store.put(raw, validated)
    store.put(rejected, b'{"later":1}')

    restore(lake_in_sqlite.settings, folder, replace=True)
    assert store.get(raw) == validated
    assert store.get(rejected) == b'{"later":1}'


def without(storage: BackupStorage, prefix: str) -> str:
    key = next(key for key in storage.sizes() if key.startswith(prefix))
    storage.delete([key])
    return key


@pytest.mark.parametrize("prefix", ["raw/", TABLE_FILES])
def test_a_damaged_backup_is_reported_and_changes_nothing(
    lake_in_sqlite: Pipeline, folder: FolderStorage, prefix: str
) -> None:
    back_up(lake_in_sqlite.settings, folder)
    lose_both_stores(lake_in_sqlite)
    key = without(folder, prefix)
    with pytest.raises(StepError, match=f"lacks {key} with"):
        restore(lake_in_sqlite.settings, folder, replace=False)
    assert list(lake_in_sqlite.store.list()) == []


def test_a_replays_backup_is_not_restored_to_a_weather_lake(
    lake_in_sqlite: Pipeline, folder: FolderStorage
) -> None:
    store = lake_in_sqlite.store
    back_up(lake_in_sqlite.settings, folder)
    store.put(SOURCE_KEY, OPEN_METEO.model_dump_json().encode())
    before = everything(lake_in_sqlite)
    with pytest.raises(StepError, match="holds data of another source") as failure:
        restore(lake_in_sqlite.settings, folder, replace=True)
    assert failure.value.exit_code == ExitCode.SETTING
    assert everything(lake_in_sqlite) == before
