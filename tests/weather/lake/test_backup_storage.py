"""Storage of backups, and messages about invalid names."""

from pathlib import Path

import pytest

from local.store import S3Server
from tests.pipeline import Pipeline
from tests.weather.buckets import made_bucket
from weather.errors import ExitCode
from weather.lake.__main__ import main
from weather.lake.backup import BACKUP_FILE
from weather.lake.backup_storage import BucketStorage, FolderStorage


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["backup", "--to", "http://example.org"], "'http://example.org': not a folder or s3://"),
        (["backup", "--to", "s3://{bucket}/copy"], "is in the lake's own bucket"),
        (["restore", "--from", "{empty}"], " holds no backup. "),
        (["restore", "--from", "{other}"], "lake.duckdb: not a file of a backup"),
    ],
)
def test_an_invalid_name_is_reported_in_one_line(
    pipeline: Pipeline,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    FolderStorage(tmp_path / "other").put(BACKUP_FILE, b"something else")
    names = {
        "bucket": pipeline.settings.weather_bucket,
        "empty": str(tmp_path / "empty"),
        "other": str(tmp_path / "other"),
    }
    capfd.readouterr()
    assert main([argument.format(**names) for argument in arguments]) == ExitCode.SETTING
    (line,) = capfd.readouterr().err.splitlines()
    assert words in line


def test_a_read_only_folder_is_reported_in_one_line(
    pipeline: Pipeline, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    capfd.readouterr()
    assert main(["backup", "--to", str(tmp_path / "file" / "backup")]) == ExitCode.UNAVAILABLE
    (line,) = capfd.readouterr().err.splitlines()
    assert "failed: Not a directory" in line


def test_both_storages_store_replace_and_delete(
    tmp_path: Path, s3_server: S3Server, pipeline: Pipeline
) -> None:
    folder = FolderStorage(tmp_path / "backup")
    bucket = BucketStorage(pipeline.settings, made_bucket(s3_server), "a/b")
    for storage in (folder, bucket):
        assert storage.sizes() == {}
        assert storage.get("raw/x.json") is None
        storage.put("raw/x.json", b"1")
        storage.put("raw/x.json", b"23")
        storage.put("y", b"")
        assert storage.sizes() == {"raw/x.json": 2, "y": 0}
        assert storage.get("raw/x.json") == b"23"
        storage.delete(["y", "never-there"])
        assert storage.sizes() == {"raw/x.json": 2}
