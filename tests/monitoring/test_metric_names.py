"""Rules and dashboards use metrics that exist, and docs/metrics.md lists these metrics."""

import re

import yaml

from tests.monitoring.sources import PROJECT, expressions, metrics_in, recorded

PAGE = (PROJECT / "docs" / "metrics.md").read_text(encoding="utf-8")
SECTIONS = {
    part.partition("\n")[0]: re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)
    for part in PAGE.split("\n## From ")[1:]
}
DURATIONS = re.compile(r"_(bucket|sum|count)$")


def listed(name: str) -> bool:
    """Return whether the page has the metric or its histogram."""
    names = {each for section in SECTIONS.values() for each in section}
    return name in names or DURATIONS.sub("", name) in names


def test_metric_names_are_parsed_from_promql() -> None:
    assert metrics_in(
        'sum by (a) (rate(b_total{c="d",e=~"f|g"}[5m])) / on (h) group_left (i) (j:k > bool 1e3)'
        " or 0 * max(up) unless l offset 1d"
    ) == {"b_total", "j:k", "up", "l"}


def test_every_expression_uses_known_metrics() -> None:
    unknown = {
        place: names
        for place, expression in expressions().items()
        if (names := {n for n in metrics_in(expression) - recorded() if not listed(n)})
    }
    assert unknown == {}


def test_every_recorded_metric_is_used() -> None:
    used = {name for expression in expressions().values() for name in metrics_in(expression)}
    assert recorded() <= used


def test_every_listed_third_party_metric_is_used() -> None:
    """The page lists all metrics of the API, and only used metrics of others."""
    used = {
        DURATIONS.sub("", name)
        for expression in expressions().values()
        for name in metrics_in(expression)
    }
    of_others = {name for key, names in SECTIONS.items() if key != "the API" for name in names}
    assert of_others <= used


def test_the_mapping_has_airflows_listed_metrics() -> None:
    """The mapping omits metrics whose dots the exporter replaces by underscores."""
    values = yaml.safe_load((PROJECT / "helm-values" / "airflow.yaml").read_text(encoding="utf-8"))
    made = {each["name"] for each in values["statsd"]["overrideMappings"]}
    by_itself = {"airflow_executor_queued_tasks", "airflow_executor_running_tasks"}
    assert set(SECTIONS["Airflow"]) == made | by_itself


def test_the_page_lists_every_metric_of_the_api() -> None:
    code = "".join(
        file.read_text(encoding="utf-8") for file in (PROJECT / "api").rglob("*metrics.py")
    )
    in_code = set(re.findall(r'"((?:weather|http)_[a-z_]+)"', code))
    assert in_code
    assert {name.removesuffix("_total") for name in SECTIONS["the API"]} == in_code
