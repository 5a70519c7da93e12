"""Backups restore a lost lake, copy only new objects, and reject wrong sources and targets."""

from pathlib import Path

import pytest

from local.store import S3Server
from tests.pipeline import MODELS, Pipeline
from tests.weather.buckets import made_bucket
from tests.weather.lake.filled_lake import END, LOOKBACK_HOURS, NOW
from tests.weather.lake.lost_stores import lose_both_stores
from weather.errors import ExitCode, StepError
from weather.lake.__main__ import main
from weather.lake.backup import BACKUP_FILE, Manifest, back_up, copy, read_manifest, write_manifest
from weather.lake.backup_storage import FolderStorage, open_backup_storage
from weather.lake.restore import restore
from weather.lake.upkeep import TABLE_FILES, maintain
from weather.storage import Store, StoredObject
from weather.window import HOUR, lookback_window


def test_a_backup_during_a_run_restores_the_published_snapshot(
    lake: Pipeline, folder: FolderStorage
) -> None:
    published = lake.published()
    assert published is not None
    seen = lake.rows("select * from daily_weather_stats order by all")
    lake.take(lookback_window(END + 24 * HOUR, LOOKBACK_HOURS))
    assert lake.ingest() == 0
    assert lake.transform(*MODELS[:2])
    back_up(lake.settings, folder)
    assert lake.transform(*MODELS[2:])
    assert lake.publish() == 0

    lose_both_stores(lake)
    restore(lake.settings, folder, replace=False)
    assert lake.published() == published
    assert (
        lake.rows(
            "select * from daily_weather_stats order by all", snapshot_id=published.snapshot_id
        )
        == seen
    )
    lake.run(lookback_window(END + 24 * HOUR, LOOKBACK_HOURS))
    assert lake.rows("select count(*) from stg_weather") == [(3 * (LOOKBACK_HOURS + 24),)]


def test_a_second_backup_copies_and_deletes_only_changes(
    lake_in_sqlite: Pipeline, s3_server: S3Server
) -> None:
    pipeline = lake_in_sqlite
    storage = open_backup_storage(f"s3://{made_bucket(s3_server)}/nightly", pipeline.settings)
    first = back_up(pipeline.settings, storage)
    assert first.copied == first.objects > 10
    assert back_up(pipeline.settings, storage).copied == 0

    (changed, *_) = pipeline.store.list("raw/")
    lost = "rejected/20261120T0400Z_20261120T0500Z/lost.json"
    pipeline.store.put(changed, b"[]")
    pipeline.store.put(lost, b"{}")
    assert back_up(pipeline.settings, storage).copied == 2
    assert storage.get(changed) == b"[]"

    pipeline.store.delete([lost])
    maintain(pipeline.settings, kept=NOW, grace=NOW)
    third = back_up(pipeline.settings, storage)
    assert {key for key in storage.sizes() if key.startswith(TABLE_FILES)} == set(
        pipeline.store.list(TABLE_FILES)
    )
    assert third.objects == len(storage.sizes()) - 1
    assert storage.get(lost) == b"{}"


def test_a_response_replaced_during_the_copy_is_restored(
    lake_in_sqlite: Pipeline, folder: FolderStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = lake_in_sqlite
    (changed, *_) = pipeline.store.list("raw/")

    def copied_late(source: Store, target: FolderStorage, listed: list[StoredObject]) -> object:
        pipeline.store.put(changed, b"[]")
        return copy(source, target, listed)

    with monkeypatch.context() as patch:
        patch.setattr("weather.lake.backup.copy", copied_late)
        back_up(pipeline.settings, folder)
    lose_both_stores(pipeline)
    restore(pipeline.settings, folder, replace=False)
    assert pipeline.store.get(changed) == b"[]"
    assert [back_up(pipeline.settings, folder).copied for _ in range(2)] == [1, 0]


def test_a_killed_backup_leaves_the_earlier_one_valid(
    lake_in_sqlite: Pipeline, folder: FolderStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = lake_in_sqlite
    rows = pipeline.rows("select * from daily_weather_stats order by all")
    back_up(pipeline.settings, folder)
    (changed, *_) = pipeline.store.list("raw/")
    pipeline.store.put(changed, b"[]")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("weather.lake.backup.write_manifest", killed)
        with pytest.raises(KeyboardInterrupt):
            back_up(pipeline.settings, folder)
    lose_both_stores(pipeline)
    restore(pipeline.settings, folder, replace=False)
    assert pipeline.rows("select * from daily_weather_stats order by all") == rows
    assert pipeline.store.get(changed) == b"[]"


@pytest.mark.parametrize("number", [0, 1, 50_000])
def test_a_manifest_round_trips(tmp_path: Path, number: int) -> None:
    objects = {f"raw/{each}": StoredObject(f"raw/{each}", each, "etag") for each in range(number)}
    contents = Manifest(b"published", objects, {"stg_weather": 3})
    file = tmp_path / BACKUP_FILE
    write_manifest(contents, file)
    assert read_manifest(file) == contents


def test_a_backup_contains_no_secret(
    lake_in_sqlite: Pipeline, folder: FolderStorage, tmp_path: Path
) -> None:
    settings = lake_in_sqlite.settings
    back_up(settings, folder)
    body = folder.get(BACKUP_FILE) or b""
    assert b"daily_weather_stats" in body
    for secret in (settings.aws_secret_access_key, settings.aws_access_key_id):
        assert secret
        assert secret.encode() not in body


def test_a_damaged_lake_does_not_replace_a_good_backup(
    lake_in_sqlite: Pipeline, folder: FolderStorage
) -> None:
    back_up(lake_in_sqlite.settings, folder)
    good = folder.get(BACKUP_FILE)
    (lost, *_) = lake_in_sqlite.store.list(TABLE_FILES)
    lake_in_sqlite.store.delete([lost])
    with pytest.raises(StepError, match=f"refers to {lost} "):
        back_up(lake_in_sqlite.settings, folder)
    assert folder.get(BACKUP_FILE) == good
    restore(lake_in_sqlite.settings, folder, replace=True)
    assert lake_in_sqlite.rows("select count(*) from stg_weather") == [(3 * (LOOKBACK_HOURS + 1),)]


def test_a_new_lake_does_not_replace_another_lakes_backup(
    lake_in_sqlite: Pipeline, folder: FolderStorage
) -> None:
    back_up(lake_in_sqlite.settings, folder)
    lose_both_stores(lake_in_sqlite)
    assert main(["create"]) == ExitCode.OK
    with pytest.raises(StepError, match="holds the backup of another lake"):
        back_up(lake_in_sqlite.settings, folder)
    restore(lake_in_sqlite.settings, folder, replace=False)
    assert back_up(lake_in_sqlite.settings, folder).objects > 10
