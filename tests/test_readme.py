"""The README says what the code does."""

import re
import tomllib
from hashlib import sha256
from pathlib import Path
from textwrap import dedent

import yaml
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from weather.settings import DEFAULT_LOCATIONS, SettingsGroup

PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.*?) \| (.*) \|$", re.MULTILINE)


def fields(group: type[SettingsGroup] = SettingsGroup) -> dict[str, FieldInfo]:
    """All settings of the code, by the name of their variable."""
    found = {name.upper(): field for name, field in group.model_fields.items()}
    for narrower in group.__subclasses__():
        found |= fields(narrower)
    return found


def default(field: FieldInfo) -> str:
    """A setting's default as the README shows it."""
    if field.default is PydanticUndefined:
        return "required"
    if field.default is None:
        return ""
    if field.default == DEFAULT_LOCATIONS:
        return f"`{DEFAULT_LOCATIONS.relative_to(PROJECT)}`"
    return f"`{field.default}`"


def test_the_settings_table_is_the_settings() -> None:
    rows = {name: (shown, description) for name, shown, description in ROW.findall(README)}
    assert rows == {name: (default(field), field.description) for name, field in fields().items()}


def test_every_make_target_is_in_make_help_and_every_named_one_exists() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:`|^ {4}(?:\$ )?)make ([a-z-]+)", README, re.MULTILINE))
    assert {"demo", "up", "run"} <= named <= targets
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == targets


def test_every_file_that_the_readme_names_exists() -> None:
    named = set(re.findall(r"`((?:[\w.]+/)+[\w.]*)`", README)) | set(
        re.findall(r"\]\(((?!http)[^)]+)\)", README)
    )
    missing = [
        name
        for name in named
        if not (PROJECT / name).exists()
        and not name.startswith(("raw/", "rejected/", "transformed/"))
    ]
    assert not missing


def test_the_values_for_outside_stores_are_those_of_the_example() -> None:
    shown = re.search(r"^    minio:\n(?: {4}.*\n)+", README, re.MULTILINE)
    assert shown
    example = (PROJECT / "chart/examples/outside-stores.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(dedent(shown[0])) == yaml.safe_load(example)


def test_the_licence_is_the_one_that_the_project_names() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    missing = [name for name in project["license-files"] if not (PROJECT / name).is_file()]
    assert not missing
    # The hash of https://www.apache.org/licenses/LICENSE-2.0.txt.
    assert (
        sha256((PROJECT / "LICENSE").read_bytes()).hexdigest()
        == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    )


def test_the_notice_names_what_others_made() -> None:
    notice = (PROJECT / "NOTICE").read_text(encoding="utf-8")
    vendored = re.search(r"^package=(\w+)@(\S+)", (PROJECT / "scripts/vendor").read_text(), re.M)
    assert vendored
    assert f"uPlot {vendored[2]} (api/page/uplot/)" in notice
    assert (PROJECT / "api/page/uplot/LICENSE").read_text().splitlines()[2].lower()[14:] in (
        notice.lower()
    )
    chart = yaml.safe_load((PROJECT / "chart/values.yaml").read_text())
    for image in (chart["minio"]["image"], chart["postgres"]["image"]):
        assert f"image {image.rpartition(':')[0]})" in notice
    for words in ("Open-Meteo.com", "CC BY 4.0", "CC0 1.0", "Affero", "Swagger UI"):
        assert words in notice
