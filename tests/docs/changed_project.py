"""A copy of the project with the diff of a guide applied."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, PROJECT
from tests.pipeline import PROJECT as FOLDERS
from weather.dbt_environment import PROFILE

MOST_FILES = 6

INGEST = """
import sys
from weather.ingest.__main__ import main
from weather.ingest.fetch import RetryPolicy
sys.exit(main([], retry_policy=RetryPolicy(first_backoff=0.1)))
"""


def diff_of(guide: str) -> str:
    """Return the diff on a page."""
    block = re.search(r"^```diff\n(.*?)^```$", PAGES[guide], re.MULTILINE | re.DOTALL)
    assert block
    return block[1]


def require_small_diff(guide: str) -> None:
    """Require that the page's diff touches as many files as the page says, and only a few."""
    files = re.findall(r"^diff --git a/(\S+)", diff_of(guide), re.MULTILINE)
    assert f"touches {len(files)} files" in PAGES[guide]
    assert len(files) <= MOST_FILES


class ChangedProject:
    """A copy of the project with a guide's diff, whose steps run as processes."""

    def __init__(self, folder: Path, guide: str) -> None:
        files = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in filter(None, files.stdout.split("\0")):
            if (PROJECT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(PROJECT / name, folder / name)
        self.folder = folder
        if self._apply(guide, "--reverse", "--check").returncode == 0:
            pytest.skip(f"the project has the change of {guide} already")
        applied = self._apply(guide)
        assert applied.returncode == 0, f"renew the diff of {guide}: {applied.stderr}"

    def _apply(self, guide: str, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", "apply", *options],
            cwd=self.folder,
            input=diff_of(guide),
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *command: str) -> None:
        """Run a command and require success."""
        result = self.result_of(*command)
        assert result.returncode == 0, result.stdout + result.stderr

    def result_of(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the environment of the test, with the copy's code."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.folder),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
        }
        return subprocess.run(
            [sys.executable, *command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def ingest(self) -> subprocess.CompletedProcess[str]:
        """Run ingest with short waits between retries."""
        return self.result_of("-c", INGEST)

    def transform_and_publish(self) -> None:
        """Run dbt and publish."""
        dbt = str(Path(sys.executable).with_name("dbt"))
        self.run(dbt, "build", *FOLDERS, *PROFILE)
        self.run("-m", "weather.lake", "publish")

    def rebuild(self) -> None:
        """Rebuild the lake."""
        self.run("-m", "weather.lake", "rebuild")
