"""Rules and dashboards of the chart, and the metrics in their expressions."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]
MONITORING = PROJECT / "chart" / "monitoring"
RULE_FILES = sorted((MONITORING / "rules").glob("*.yaml"))
DASHBOARD_FILES = sorted((MONITORING / "dashboards").glob("*.json"))

EACH_HOUR = {
    "FRESH_HOURS": "2",
    "FRESH_SECONDS": "7200",
    "OVERDUE_SECONDS": "5400",
    "HOURS_OF_2_RUNS": "2",
    "HOURS_OF_3_RUNS": "3",
    "HOURS_OF_6_RUNS": "6",
}
"""Numbers that the chart inserts into the files by default."""

EVERY_3_HOURS = {
    "FRESH_HOURS": "6",
    "FRESH_SECONDS": "21600",
    "OVERDUE_SECONDS": "12600",
    "HOURS_OF_2_RUNS": "6",
    "HOURS_OF_3_RUNS": "9",
    "HOURS_OF_6_RUNS": "18",
}
"""Numbers with schedule.everyHours=3."""

Rule = dict[str, Any]

_IN_STRINGS = re.compile(r'"[^"]*"')
_NO_NAMES = re.compile(
    r"\{[^}]*\}|\[[^]]*\]|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"
)
_NAME = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?![\w:]*\s*\()")
_WORDS = {"and", "or", "unless", "bool", "offset", "by", "on", "without"}


def content(file: Path, numbers: dict[str, str] = EACH_HOUR) -> str:
    """Return a file of rules or a dashboard with the schedule's numbers."""
    text = file.read_text(encoding="utf-8")
    for name, number in numbers.items():
        text = text.replace(f'"__{name}__"', number).replace(f"__{name}__", number)
    return text


def rules() -> list[Rule]:
    """Return every rule of every file."""
    return [
        rule
        for file in RULE_FILES
        for group in yaml.safe_load(content(file))["groups"]
        for rule in group["rules"]
    ]


def alerts() -> list[Rule]:
    """Return the alerting rules."""
    return [rule for rule in rules() if "alert" in rule]


def recorded() -> set[str]:
    """Return the names of the recording rules."""
    return {rule["record"] for rule in rules() if "record" in rule}


def dashboards() -> dict[str, Any]:
    """Return the dashboards by file name."""
    return {file.name: json.loads(content(file)) for file in DASHBOARD_FILES}


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, panel) of every panel."""
    for name, dashboard in dashboards().items():
        for panel in dashboard["panels"]:
            yield f"{name}: {panel['title']}", panel


def expressions() -> dict[str, str]:
    """Return every expression by its rule or panel."""
    found = {
        f"{rule.get('record') or rule['alert']} {rule.get('labels', {})}": rule["expr"]
        for rule in rules()
    }
    for place, panel in panels():
        found |= {f"{place} {each['refId']}": each["expr"] for each in panel["targets"]}
    return found


def metrics_in(expression: str) -> set[str]:
    """Return the metrics' names in a PromQL expression."""
    bare = _NO_NAMES.sub(" ", _IN_STRINGS.sub("", expression))
    return set(_NAME.findall(bare)) - _WORDS
