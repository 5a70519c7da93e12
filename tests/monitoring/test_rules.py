"""Test the alert rules with promtool: each alert fires only in the expected cases."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.monitoring.sources import (
    DASHBOARD_FILES,
    EACH_HOUR,
    EVERY_3_HOURS,
    RULE_FILES,
    alerts,
    content,
    expressions,
    rules,
)

HERE = Path(__file__).parent
SCHEDULES = {"rules": EACH_HOUR, "rules_every_3_hours": EVERY_3_HOURS}
"""Folders of promtool's tests, with the numbers of their schedule."""
TESTS = sorted((HERE / "rules").glob("*.yaml"))
ALL_TESTS = [file for folder in SCHEDULES for file in sorted((HERE / folder).glob("*.yaml"))]


@pytest.fixture(scope="session")
def promtool() -> str:
    """Promtool of PROMTOOL or PATH. Tests are skipped without it."""
    program = os.environ.get("PROMTOOL") or shutil.which("promtool")
    if program is None:
        pytest.skip("promtool not found: put it on PATH or set PROMTOOL")
    return program


def output_of(promtool: str, *arguments: str) -> str:
    """Return promtool's output, and fail on an error."""
    result = subprocess.run(
        [promtool, *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def with_numbers(numbers: dict[str, str], folder: Path) -> list[Path]:
    """Write the rules with a schedule's numbers into a folder, and return the files."""
    folder.mkdir(parents=True)
    files = [folder / file.name for file in RULE_FILES]
    for file, source in zip(files, RULE_FILES, strict=True):
        file.write_text(content(source, numbers), encoding="utf-8")
    return files


@pytest.mark.parametrize("file", ALL_TESTS, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_alerts_fire_only_in_the_expected_cases(promtool: str, file: Path, tmp_path: Path) -> None:
    test = yaml.safe_load(file.read_text(encoding="utf-8"))
    with_numbers(SCHEDULES[file.parent.name], tmp_path / "rules")
    test["rule_files"] = [f"rules/{Path(name).name}" for name in test["rule_files"]]
    copy = tmp_path / file.name
    copy.write_text(yaml.safe_dump(test), encoding="utf-8")
    output_of(promtool, "test", "rules", str(copy))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_promtool_lint_passes(promtool: str, schedule: str, tmp_path: Path) -> None:
    files = with_numbers(SCHEDULES[schedule], tmp_path / "rules")
    output_of(promtool, "check", "rules", "--lint=all", "--lint-fatal", *map(str, files))


def test_dashboard_expressions_are_valid_promql(promtool: str, tmp_path: Path) -> None:
    """Check the dashboards' expressions as rules of a file."""
    file = tmp_path / "rules.yaml"
    listed = [
        {"record": f"expression_{number}", "expr": expression}
        for number, expression in enumerate(expressions().values())
    ]
    file.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": listed}]}))
    assert f"{len(listed)} rules found" in output_of(promtool, "check", "rules", str(file))


def test_each_alert_fires_in_a_test() -> None:
    """Each alert fires in a test that compares labels, annotations and value."""
    fired = {
        (expected["alertname"], alert["exp_labels"]["severity"], alert["exp_labels"].get("part"))
        for file in TESTS
        for test in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]
        for expected in test.get("alert_rule_test", [])
        for alert in expected["exp_alerts"]
    }
    # The alert's rule is the same for each missing part.
    fired.add(("WeatherMetricsMissing", "warning", "completeness"))
    wanted = {
        (rule["alert"], rule["labels"]["severity"], rule["labels"].get("part")) for rule in alerts()
    }
    assert fired == wanted


def test_each_rule_file_has_a_test_file() -> None:
    assert [file.name for file in TESTS] == [file.name for file in RULE_FILES]


def test_alerts_have_severity_summary_and_description() -> None:
    assert alerts()
    for rule in alerts():
        assert rule["labels"]["severity"] in {"critical", "warning"}, rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}, rule["alert"]
        assert rule["annotations"]["summary"].endswith("."), rule["alert"]


def test_every_placeholder_has_a_number() -> None:
    assert EACH_HOUR.keys() == EVERY_3_HOURS.keys()
    for file in (*RULE_FILES, *DASHBOARD_FILES):
        without_the_comment = content(file).replace("__NAMES__", "")
        assert not re.search(r"__\w+__", without_the_comment), file.name


def test_rules_are_unique() -> None:
    keys = [
        (rule.get("record") or rule["alert"], *sorted(rule.get("labels", {}).items()))
        for rule in rules()
    ]
    assert len(set(keys)) == len(keys)
