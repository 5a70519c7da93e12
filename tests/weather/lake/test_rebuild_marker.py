"""Incomplete tables of a killed rebuild are neither published nor backed up."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.pipeline import Pipeline
from weather.errors import ExitCode, StepError
from weather.lake.__main__ import main
from weather.lake.backup import back_up
from weather.lake.backup_storage import FolderStorage
from weather.lake.rebuild_marker import set_rebuild_marker
from weather.lake.restore import restore
from weather.lake.saved_catalog import save_catalog
from weather.lake.upkeep import maintain
from weather.published import PUBLISHED_KEY
from weather.window import HOUR, lookback_window

END = datetime(2026, 11, 2, 5, tzinfo=UTC)
HOURS = 24
NOW = timedelta(0)
STAGED = "select count(*) from stg_weather"


@pytest.fixture
def two_months(pipeline: Pipeline) -> Pipeline:
    """A lake that is rebuilt in two batches."""
    pipeline.fill(lookback_window(END - 3 * 24 * HOUR, HOURS), lookback_window(END, HOURS))
    return pipeline


def killed_in_the_second_month() -> None:
    command = [sys.executable, "-m", "weather.lake", "rebuild"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr
        assert any("windows that end in 2026-11" in line for line in process.stderr)
        os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def is_blocked(capfd: pytest.CaptureFixture[str], *arguments: str) -> bool:
    """Return whether a command fails with one line because of an active rebuild."""
    capfd.readouterr()
    assert main(list(arguments)) == ExitCode.SETTING
    (line,) = capfd.readouterr().err.splitlines()
    return line.startswith(f"{arguments[0]}: A rebuild of") and "run rebuild again" in line


def test_a_killed_rebuild_blocks_publish_until_a_complete_one(
    two_months: Pipeline, folder: FolderStorage, capfd: pytest.CaptureFixture[str]
) -> None:
    published = two_months.store.get(PUBLISHED_KEY)
    killed_in_the_second_month()
    assert two_months.rows(STAGED) == [(3 * HOURS,)]

    two_months.take(lookback_window(END + HOUR, HOURS))
    assert two_months.ingest() == 0
    assert two_months.transform()
    maintain(two_months.settings, kept=NOW, grace=NOW)
    assert is_blocked(capfd, "publish")
    assert is_blocked(capfd, "backup", "--to", folder.name)
    assert two_months.store.get(PUBLISHED_KEY) == published

    assert main(["rebuild"]) == ExitCode.OK
    assert two_months.rows(STAGED) == [(3 * (2 * HOURS + 1),)]
    two_months.run_hour(END + 2 * HOUR, HOURS)
    assert main(["backup", "--to", folder.name]) == ExitCode.OK


def test_a_failed_rebuild_after_a_killed_one_keeps_the_marker(
    two_months: Pipeline, capfd: pytest.CaptureFixture[str]
) -> None:
    killed_in_the_second_month()
    spoil(two_months)
    assert main(["rebuild"]) == ExitCode.UNEXPECTED
    assert two_months.rows(STAGED) == [(3 * HOURS,)]
    assert is_blocked(capfd, "publish")


def spoil(pipeline: Pipeline) -> None:
    """Set a temperature that fails a data test in one stored response."""
    (key, *_) = (key for key in pipeline.store.list("raw/") if key.endswith("call-0000.json"))
    lines = [json.loads(line) for line in (pipeline.store.get(key) or b"").splitlines()]
    lines[0]["answer"]["hourly"]["temperature_2m"][0] = -61
    pipeline.store.put(key, "\n".join(map(json.dumps, lines)).encode())


def test_a_restore_after_a_killed_rebuild_removes_the_marker(
    two_months: Pipeline, folder: FolderStorage, capfd: pytest.CaptureFixture[str]
) -> None:
    back_up(two_months.settings, folder)
    set_rebuild_marker(two_months.store)
    assert is_blocked(capfd, "publish")
    restore(two_months.settings, folder, replace=True)
    assert two_months.publish() == 0


def test_a_backup_fails_if_a_rebuild_starts_during_it(
    two_months: Pipeline, folder: FolderStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def saved_too_late(*arguments: object) -> None:
        set_rebuild_marker(two_months.store)
        save_catalog(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("weather.lake.backup.save_catalog", saved_too_late)
    with pytest.raises(StepError, match="has not ended"):
        back_up(two_months.settings, folder)
    assert folder.sizes() == {}
