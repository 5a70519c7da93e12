"""docs/service-levels.md matches the rules."""

import re

from tests.monitoring.sources import PROJECT, RULE_FILES, alerts, content, recorded, rules

PAGE = (PROJECT / "docs" / "service-levels.md").read_text(encoding="utf-8")
LEVELS = re.findall(
    r"^\| (\w+) \| .* \| ([\d.]+) % \| (\d+) days \| `([\w:]+)` \| `(\w+)` \|$", PAGE, re.MULTILINE
)
ALERTS = re.findall(r"^\| `(\w+)` \| (critical|warning|critical, warning) \|", PAGE, re.MULTILINE)

TEXTS = {file.stem: content(file) for file in RULE_FILES}
FILES = {
    "freshness": "freshness",
    "completeness": "completeness",
    "availability": "api",
    "latency": "api",
}


def test_each_service_level_has_a_rule_and_an_alert() -> None:
    assert [level for level, *_ in LEVELS] == list(FILES)
    for level, _, days, record, alert in LEVELS:
        assert record in recorded(), level
        assert record.endswith(f"ratio{days}d"), level
        assert alert in {rule["alert"] for rule in alerts()}, level


def test_thresholds_equal_the_error_budgets() -> None:
    """A threshold is `<factor> * <budget>`, or the objective itself without a budget."""
    for level, objective, _, _, alert in LEVELS:
        budget = f"{(100 - float(objective)) / 100:.3f}".rstrip("0")
        kept = f"{float(objective) / 100:g}"
        for rule in alerts():
            if rule["alert"] == alert:
                compared = re.findall(r"[<>] (?:[\d.]+ \* )?([\d.]+)", rule["expr"])
                compared = [each for each in compared if each != "5"]
                assert compared, rule["expr"]
                assert set(compared) <= {budget, kept}, (level, rule["expr"])
        assert f"{objective} %" in TEXTS[FILES[level]].replace("\n# ", " "), level


def test_limits_of_late_and_slow_equal_the_page() -> None:
    [late] = [rule["expr"] for rule in rules() if rule.get("record") == "weather:late"]
    assert late.endswith(">= bool 7200")
    assert "younger than 2 hours" in PAGE
    [slow] = [rule["expr"] for rule in rules() if rule.get("record") == "weather_api:slow:rate5m"]
    assert 'le="0.25"' in slow
    assert "at most 250 ms" in PAGE


def test_the_page_lists_every_alert_with_its_severities() -> None:
    listed = {(name, each) for name, severities in ALERTS for each in severities.split(", ")}
    assert listed == {(rule["alert"], rule["labels"]["severity"]) for rule in alerts()}
