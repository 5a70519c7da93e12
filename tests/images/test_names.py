"""scripts/images names the images, tested in a separate repository."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "images"
IDENTITY = {
    f"GIT_{who}_{what}": f"nobody@{what.lower()}"
    for who in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}


class Repository:
    """A folder with the script in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "scripts").mkdir()
        shutil.copy(SCRIPT, folder / "scripts" / "images")

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run the script with only these settings."""
        outside = {name: text for name, text in os.environ.items() if "WEATHER_" not in name}
        # Git must not find a repository above this folder.
        outside["GIT_CEILING_DIRECTORIES"] = str(self.folder.parent)
        return subprocess.run(
            ["scripts/images", *arguments],
            cwd=self.folder,
            env={**outside, **settings},
            capture_output=True,
            text=True,
            check=False,
        )

    def tag(self) -> str:
        """Return the output of `scripts/images tag`."""
        ended = self.run("tag")
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout.rstrip("\n")

    def git(self, *arguments: str) -> str:
        """Run git in the folder and return its output."""
        ended = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**os.environ, **IDENTITY},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return ended.stdout.strip()


@pytest.fixture
def without_git(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


@pytest.fixture
def repository(without_git: Repository) -> Repository:
    without_git.git("init", "--quiet")
    without_git.git("add", ".")
    without_git.git("commit", "--quiet", "--message", "The script")
    return without_git


def test_the_tag_is_the_commit(repository: Repository) -> None:
    assert repository.tag() == repository.git("rev-parse", "HEAD")[:12]


def test_each_uncommitted_change_has_another_tag(repository: Repository) -> None:
    commit = repository.tag()
    script = repository.folder / "scripts" / "images"
    new = repository.folder / "new file"
    tags = [commit]
    new.write_text("one")
    tags.append(repository.tag())
    new.write_text("two")
    tags.append(repository.tag())
    new.rename(repository.folder / "newer file")
    tags.append(repository.tag())
    with script.open("a") as file:
        file.write("# changed\n")
    tags.append(repository.tag())
    repository.git("add", ".")
    tags.append(repository.tag())
    assert len(set(tags)) == len(tags)
    assert all(re.fullmatch(rf"{commit}-dirty-[0-9a-f]{{8}}", tag) for tag in tags[1:])


def test_the_same_files_have_the_same_tag(repository: Repository) -> None:
    new = repository.folder / "new"
    new.write_text("one")
    before = repository.tag()
    new.write_text("two")
    new.write_text("one")
    assert repository.tag() == before


def test_image_names_have_prefix_and_tag(repository: Repository) -> None:
    ended = repository.run(
        "names", WEATHER_IMAGE_PREFIX="registry.example.org/weather-", WEATHER_IMAGE_TAG="1.2.3"
    )
    assert ended.stdout.splitlines() == [
        f"registry.example.org/weather-{name}:1.2.3"
        for name in ("ingest", "dbt", "airflow", "replay", "store-setup", "api")
    ]


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (["tag"], {}, "found no git commit"),
        (["tag"], {"WEATHER_IMAGE_TAG": "latest"}, "WEATHER_IMAGE_TAG is 'latest'"),
        (["tags"], {"WEATHER_IMAGE_TAG": "1"}, "unknown argument 'tags'"),
        ([], {"WEATHER_IMAGE_TAG": "1", "DOCKER_HOST": "unix:///nowhere"}, "cannot reach"),
    ],
)
def test_an_error_is_reported_in_one_line(
    without_git: Repository, arguments: list[str], settings: dict[str, str], message: str
) -> None:
    ended = without_git.run(*arguments, **settings)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith(f"images: {message}")
    assert ended.stderr.count("\n") == 1
    assert ";" in ended.stderr, "what to do next is missing"


def test_a_failed_build_is_reported_with_image_and_last_lines(
    without_git: Repository,
) -> None:
    programs = without_git.folder / "bin"
    programs.mkdir()
    docker = programs / "docker"
    docker.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        "*--file*dbt/Dockerfile*) echo 'the disk is full'; exit 1 ;;\n"
        "esac\n"
    )
    docker.chmod(0o755)
    ended = without_git.run(WEATHER_IMAGE_TAG="1", PATH=f"{programs}:{os.environ['PATH']}")
    assert ended.returncode == 1
    assert "weather-ingest:1 built" in ended.stderr
    *_, last_of_build, verdict = ended.stderr.splitlines()
    assert last_of_build == "the disk is full"
    assert verdict.startswith("images: the build of weather-dbt:1 failed")
