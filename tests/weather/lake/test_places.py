"""Where backups are kept: what is put there is there, and a wrong place is one line."""

from pathlib import Path

import pytest

from local.store import S3Server
from tests.pipeline import Pipeline
from tests.weather.buckets import made_bucket
from weather.errors import ExitCode
from weather.lake.__main__ import main
from weather.lake.contents import CONTENTS_KEY
from weather.lake.places import Bucket, Folder


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["backup", "--to", "http://example.org"], "'http://example.org' is no place"),
        (["backup", "--to", "s3://{bucket}/copy"], "is in the lake's own bucket"),
        (["restore", "--from", "{empty}"], "There is no backup in "),
        (["restore", "--from", "{other}"], "lake.duckdb is not what backup writes"),
    ],
)
def test_a_wrong_place_is_one_line(
    pipeline: Pipeline,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    Folder(tmp_path / "other").put(CONTENTS_KEY, b"something else")
    names = {
        "bucket": pipeline.settings.weather_bucket,
        "empty": str(tmp_path / "empty"),
        "other": str(tmp_path / "other"),
    }
    capfd.readouterr()
    assert main([argument.format(**names) for argument in arguments]) == ExitCode.SETTING
    (line,) = capfd.readouterr().err.splitlines()
    assert words in line


def test_a_folder_that_cannot_be_written_is_one_line(
    pipeline: Pipeline, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    capfd.readouterr()
    assert main(["backup", "--to", str(tmp_path / "file" / "backup")]) == ExitCode.UNAVAILABLE
    (line,) = capfd.readouterr().err.splitlines()
    assert "cannot be used: Not a directory" in line


def test_places_hold_what_they_were_given(
    tmp_path: Path, s3_server: S3Server, pipeline: Pipeline
) -> None:
    folder = Folder(tmp_path / "backup")
    bucket = Bucket(pipeline.settings, made_bucket(s3_server), "a/b")
    for place in (folder, bucket):
        assert place.sizes() == {}
        assert place.get("raw/x.json") is None
        place.put("raw/x.json", b"1")
        place.put("raw/x.json", b"23")
        place.put("y", b"")
        assert place.sizes() == {"raw/x.json": 2, "y": 0}
        assert place.get("raw/x.json") == b"23"
        place.delete(["y", "never-there"])
        assert place.sizes() == {"raw/x.json": 2}
