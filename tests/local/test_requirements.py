"""`requirements/all.txt` locks all packages. Each image's file has a part of the same versions."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
REQUIREMENTS = PROJECT / "requirements"
IMAGES = ["ingest", "dbt", "airflow", "api", "replay", "store-setup"]
CODE = {
    "ingest": PROJECT / "weather" / "ingest",
    "dbt": PROJECT / "weather" / "lake",
    "airflow": PROJECT / "dags",
    "api": PROJECT / "api",
    "replay": PROJECT / "weather" / "replay",
    "store-setup": PROJECT / "weather" / "store_setup",
}
BESIDE = {"airflow": "airflow-server"}
"""Dependency groups that only an image in a cluster needs, and .venv lacks."""

PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^ ;\\]+)(?P<marker> ; [^\\]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?P<more> \\)?")


def pins(name: str) -> dict[str, str]:
    """Parse every line of a requirement file; return the versions by package."""
    found = {}
    lines = iter((REQUIREMENTS / f"{name}.txt").read_text().splitlines())
    for line in lines:
        if line.startswith("#"):
            continue
        pin = PIN.fullmatch(line)
        assert pin, f"{name}.txt: not a pinned package with hashes: {line}"
        found[pin["name"]] = pin["version"]
        more = True
        while more:
            hash_line = HASH.fullmatch(next(lines))
            assert hash_line, f"{name}.txt: {pin['name']} has a line without a hash"
            more = bool(hash_line["more"])
    return found


def groups() -> dict[str, list[str]]:
    pyproject = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    extras = pyproject["project"]["optional-dependencies"]
    return {**pyproject["dependency-groups"], **extras, "dbt": extras["lake"]}


def package(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name
    return re.sub(r"[._-]+", "-", name[0]).lower()


def imports(file: Path) -> Iterator[str]:
    """Yield each module that a file may import, also inside functions."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def third_party(image: str) -> dict[str, Path]:
    """Return each third-party package that an image's code imports, with a file that does."""
    found: dict[str, Path] = {}
    seen, waiting = set(), list(CODE[image].rglob("*.py"))
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for module in imports(file):
            path = module.replace(".", "/")
            ours = [
                candidate
                for root in (PROJECT, CODE[image])
                for candidate in (root / f"{path}.py", root / path / "__init__.py")
                if candidate.is_file()
            ]
            waiting += ours
            top = module.partition(".")[0]
            is_ours = (PROJECT / top).is_dir() or (CODE[image] / top).is_dir()
            if not is_ours and top not in sys.stdlib_module_names:
                found[top] = file.relative_to(PROJECT)
    return found


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_declares_its_direct_and_shared_imports(image: str) -> None:
    declared = {package(requirement) for requirement in groups()[image]}
    distributions = packages_distributions()
    imported = third_party(image)
    assert len(imported) >= 2
    missing = {
        module: str(file)
        for module, file in imported.items()
        if declared.isdisjoint(package(each) for each in distributions[module])
    }
    assert not missing, f"declare these in pyproject.toml's group {image}, then `make lock`"


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_has_the_tested_versions(image: str) -> None:
    everything = pins("all")
    only_there = pins(image).keys() - everything.keys()
    shared = {name: version for name, version in pins(image).items() if name in everything}
    assert shared.items() <= everything.items()
    assert bool(only_there) == (image in BESIDE)


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_has_the_packages_of_its_group(image: str) -> None:
    named = groups()[image] + groups().get(BESIDE.get(image, ""), [])
    assert {package(requirement) for requirement in named} <= pins(image).keys()


def test_the_lock_has_every_group() -> None:
    named = {
        package(requirement)
        for name, group in groups().items()
        if name not in BESIDE.values()
        for requirement in group
    }
    assert len(named) > 20
    assert named <= pins("all").keys()


def test_versions_in_pyproject_equal_the_lock() -> None:
    locked = pins("all") | pins("airflow")
    exact = [
        requirement.split("==")
        for group in groups().values()
        for requirement in group
        if "==" in requirement
    ]
    assert len(exact) > 10
    for name, version in exact:
        assert locked[package(name)] == version


def test_uv_is_pinned() -> None:
    assert pins("uv").keys() == {"uv"}


@pytest.mark.parametrize("file", sorted(REQUIREMENTS.iterdir()), ids=lambda file: file.name)
def test_no_requirement_file_has_an_index_url(file: Path) -> None:
    assert not re.search(r"://|index|find-links|\bfile:", file.read_text())
