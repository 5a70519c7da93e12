"""Files, links, make targets, modules and values in the pages exist."""

import re
import subprocess
from importlib.util import find_spec
from textwrap import dedent

import pytest
import yaml

from tests.docs.pages import PAGES, PROJECT

FOLDERS = sorted(
    {
        file.partition("/")[0]
        for file in subprocess.run(
            ["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        if "/" in file
    }
)
PATH = re.compile(rf"(?<![\w./:<>-])(?:{'|'.join(FOLDERS)})/(?:[\w./-]*[\w/])?")
MADE_BY_COMMANDS = ("bench/results.json",)
PAST = ("CHANGELOG.md",)
"""Pages that may name files that no longer exist."""


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("name", [name for name in PAGES if name not in PAST])
def test_every_file_named_in_a_page_exists(name: str) -> None:
    named = set(PATH.findall(PAGES[name])) - set(MADE_BY_COMMANDS)
    assert [path for path in sorted(named) if not (PROJECT / path).exists()] == []


def test_paths_are_recognised() -> None:
    text = "see `dags/a.py`, scripts/b c docs/d. `GET /weather/latest` s3://weather/raw/ api/"
    assert PATH.findall(text) == ["dags/a.py", "scripts/b", "docs/d", "api/"]


@pytest.mark.parametrize("name", PAGES)
def test_every_link_has_an_existing_target(name: str) -> None:
    for target in re.findall(r"\]\((?!http)([^)]+)\)", PAGES[name]):
        path, _, anchor = target.partition("#")
        file = (PROJECT / name).parent / path if path else PROJECT / name
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), target


def test_every_page_is_reachable_from_the_readme() -> None:
    linked: set[str] = set()
    open_pages = ["README.md"]
    while open_pages:
        name = open_pages.pop()
        linked.add(name)
        for target in re.findall(r"\]\((?!http)([^)#]+\.md)", PAGES[name]):
            path = ((PROJECT / name).parent / target).resolve().relative_to(PROJECT).as_posix()
            if path not in linked:
                open_pages.append(path)
    assert {name for name in PAGES if name.startswith("docs/")} <= linked


def test_make_targets_exist_and_are_in_make_help() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    command = re.compile(r"(?:`|^ {4})(?:\$ )?(?:[A-Z_]+=\S+ )*make ([a-z-]+)", re.MULTILINE)
    named = {name: set(command.findall(page)) for name, page in PAGES.items()}
    assert {"demo", "up"} <= named["README.md"]
    assert {name: each - targets for name, each in named.items() if each - targets} == {}
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == targets


@pytest.mark.parametrize("name", [name for name in PAGES if name not in PAST])
def test_every_module_run_in_a_page_exists(name: str) -> None:
    for module in re.findall(r"python -m (\w[\w.]*\w)", PAGES[name]):
        assert find_spec(module), module


def test_every_page_named_in_code_exists() -> None:
    lines = subprocess.run(
        ["git", "grep", "--only-matching", "-IhE", r"\bdocs/[A-Za-z/-]+\.md\b"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert "docs/settings.md" in lines
    assert {page for page in lines if not (PROJECT / page).exists()} == set()


def test_values_for_external_stores_equal_the_example() -> None:
    page = PAGES["docs/use-your-own-store.md"]
    shown = re.search(r"^    minio:\n(?: {4}.*\n)+", page, re.MULTILINE)
    assert shown
    example = (PROJECT / "chart/examples/outside-stores.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(dedent(shown[0])) == yaml.safe_load(example)
