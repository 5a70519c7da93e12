"""Backups restore a lost lake, copy only new objects, and reject wrong sources and targets."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.store import S3Server
from tests.pipeline import MODELS, Pipeline
from tests.weather.buckets import made_bucket
from tests.weather.lake.lost_stores import api_responses, lose_both_stores
from tests.weather.lake.postgres_catalog import IS_THERE, PASSWORD, WHY_NOT, running_catalog
from weather.errors import ExitCode, StepError
from weather.lake.__main__ import main
from weather.lake.backup import BACKUP_FILE, Manifest, back_up, copy, read_manifest, write_manifest
from weather.lake.backup_storage import BackupStorage, FolderStorage, open_backup_storage
from weather.lake.restore import restore
from weather.lake.upkeep import TABLE_FILES, maintain
from weather.published import MART_KEY, PUBLISHED_KEY, SOURCE_KEY
from weather.source import OPEN_METEO
from weather.storage import Store, StoredObject
from weather.window import HOUR, lookback_window

END = datetime(2026, 11, 20, 5, tzinfo=UTC)
NOW = timedelta(0)
LOOKBACK_HOURS = 48


@pytest.fixture(params=["sqlite", "postgres"])
def lake(
    request: pytest.FixtureRequest, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pipeline]:
    """A lake after two runs, with its catalog in either database."""
    if request.param == "sqlite":
        fill(pipeline)
        yield pipeline
        return
    if not IS_THERE:
        pytest.skip(WHY_NOT)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with running_catalog() as catalog:
        monkeypatch.setenv("LAKE_CATALOG", catalog.address)
        assert main(["create"]) == ExitCode.OK
        fill(pipeline)
        yield pipeline


@pytest.fixture
def lake_in_sqlite(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A lake after two runs. The folder for temporary files has a quote in its name."""
    odd = tmp_path / "bob's tmp"
    odd.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(odd))
    fill(pipeline)
    return pipeline


def fill(pipeline: Pipeline) -> None:
    pipeline.fill(*(lookback_window(END + hour * HOUR, LOOKBACK_HOURS) for hour in range(2)))


def everything(pipeline: Pipeline) -> list[object]:
    """Return all rows, snapshots and objects except the lake's own files."""
    published = pipeline.published()
    assert published is not None
    store = pipeline.store
    return [
        *(pipeline.rows(f"select * from {model} order by all") for model in MODELS),
        pipeline.rows("from lake.snapshots() order by snapshot_id"),
        pipeline.rows(
            "select * from daily_weather_stats order by all", snapshot_id=published.snapshot_id
        ),
        store.get(PUBLISHED_KEY),
        store.get(MART_KEY),
        [(key, store.get(key)) for prefix in ("raw/", "rejected/") for key in store.list(prefix)],
    ]


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
    if not IS_THERE:
        pytest.skip(WHY_NOT)
    before = everything(lake_in_sqlite)
    back_up(lake_in_sqlite.settings, folder)
    monkeypatch.setenv("WEATHER_BUCKET", made_bucket(s3_server))
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with running_catalog() as catalog:
        monkeypatch.setenv("LAKE_CATALOG", catalog.address)
        restore(lake_in_sqlite.settings, folder, replace=False)
        assert everything(lake_in_sqlite) == before
        lake_in_sqlite.run_hour(END + 2 * HOUR, LOOKBACK_HOURS)


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


def test_a_second_backup_copies_new_objects_and_deletes_unused_ones(
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
