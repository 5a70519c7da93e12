"""Run `scripts/setup` in a copy of the project whose only requirement is uv."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.local.observed_processes import running_with, wait_for

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
ODD = """bob's 100%2F ä #1? {{x}} {%y%} "q" `z` & [a], ; \\ b*"""
ELSEWHERE = {
    # Settings of a user's other installations, which pip, uv or Python would obey.
    "PIP_USER": "1",
    "PIP_TARGET": "/nowhere/target",
    "PIP_PREFIX": "/nowhere/prefix",
    "PYTHONPATH": "/nowhere/packages",
    "PYTHONSAFEPATH": "1",
    "UV_SYSTEM_PYTHON": "1",
    "VIRTUAL_ENV": "/nowhere/venv",
    "CONDA_PREFIX": "/nowhere/conda",
    "LC_ALL": "C",
}


def checkout(folder: Path) -> Path:
    """Copy the files that set-up reads into a folder."""
    (folder / "requirements").mkdir(parents=True)
    (folder / "scripts").mkdir()
    shutil.copy(PROJECT / "scripts" / "setup", folder / "scripts")
    for name in ("uv.txt", "all.txt"):
        shutil.copy(PROJECT / "requirements" / "uv.txt", folder / "requirements" / name)
    return folder


def environment(**settings: str | None) -> dict[str, str]:
    merged = {**os.environ, "PYTHON": sys.executable, **settings}
    return {name: value for name, value in merged.items() if value is not None}


def set_up(folder: Path, **settings: str | None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [folder / "scripts" / "setup"],
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def folder_of_pip(folder: Path) -> str:
    """Return the folder of pip, as .venv's Python finds it."""
    python = folder / ".venv" / "bin" / "python"
    return subprocess.check_output([python, "-m", "pip", "--version"], text=True)


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that was set up in one odd folder and then moved to another folder."""
    folder = tmp_path_factory.mktemp("setup")
    first = checkout(folder / ODD)
    ended = set_up(first, HOME=None, **ELSEWHERE)
    assert ended.returncode == 0, ended.stderr
    assert str(first) in folder_of_pip(first)
    assert set_up(first).stderr == ""
    return first.rename(folder / "100%25 moved")


def test_a_moved_checkout_is_set_up_again(moved: Path) -> None:
    ended = set_up(moved, HOME="/proc/no-home")
    assert ended.returncode == 0, ended.stderr
    assert "installing uv" in ended.stderr
    assert str(moved) in folder_of_pip(moved)
    assert (moved / ".venv" / "pyvenv.cfg").read_text().endswith("relocatable = true\n")


@pytest.mark.parametrize("name", ["a:b", "a$HOME", "a\nb", "a\tb", b"a\xffb"])
def test_an_unsupported_folder_name_is_rejected(tmp_path: Path, name: str | bytes) -> None:
    folder = checkout(tmp_path / os.fsdecode(name))
    before = sorted(folder.iterdir())
    ended = set_up(folder)
    assert ended.returncode == 1
    assert re.fullmatch(r"setup: .*this folder.*rename it: .*\n", ended.stderr)
    assert sorted(folder.iterdir()) == before


def test_a_read_only_folder_is_reported_in_one_line(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "checkout")
    (folder / ".setup.lock").mkdir()
    ended = set_up(folder)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"setup: cannot write to {folder}; make the folder writable, or clone the project to"
        " another one\n"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_setup_works_after_an_interrupted_one(tmp_path: Path, number: signal.Signals) -> None:
    folder = checkout(tmp_path / "checkout")
    with subprocess.Popen(
        [folder / "scripts" / "setup"],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()
        wait_for(lambda: running_with("venv --clear") or (folder / ".venv" / "bin").exists())
        os.killpg(process.pid, number)
        *_, last = process.stderr.read().splitlines()
    assert process.returncode == 128 + number
    assert last.startswith("setup: interrupted; ")
    wait_for(lambda: not running_with(str(folder / ".venv")))
    if number == signal.SIGTERM:
        assert set_up(folder).returncode == 0


@pytest.fixture
def index() -> Iterator[tuple[str, list[str]]]:
    """Yield the URL of an index without packages, and the requested paths."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple", paths
        server.shutdown()


def test_uv_uses_the_index_of_pip_conf(
    moved: Path, tmp_path: Path, index: tuple[str, list[str]]
) -> None:
    assert set_up(moved).returncode == 0
    # Only the differences are installed now, and by uv alone.
    address, paths = index
    (moved / "requirements" / "all.txt").write_text(
        f"of-our-own-index==1.0 \\\n    --hash=sha256:{'0' * 64}\n"
    )
    settings = tmp_path / "pip.conf"
    settings.write_text(f"[global]\nindex-url = {address}\n")
    ended = set_up(moved, PIP_CONFIG_FILE=str(settings), NO_PROXY="127.0.0.1")
    assert ended.returncode == 1
    assert "/simple/of-our-own-index/" in paths
    assert "uv pip install failed: " in ended.stderr.splitlines()[-1]
