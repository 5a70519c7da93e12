"""The dashboards are complete, described, and use existing metrics."""

import itertools
from typing import Any

import pytest

from tests.monitoring.sources import dashboards, panels

PANELS = dict(panels())


def test_dashboards_are_data_and_platform() -> None:
    titles = {name: each["title"] for name, each in dashboards().items()}
    assert titles == {
        "data.json": "Weather: data",
        "platform.json": "Weather: platform",
    }
    assert len({each["uid"] for each in dashboards().values()}) == len(titles)


@pytest.mark.parametrize("panel", PANELS.values(), ids=list(PANELS))
def test_a_panel_has_unit_description_and_legends(panel: dict[str, Any]) -> None:
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["description"].endswith(".")
    assert len(panel["description"]) > len(panel["title"])
    assert panel["targets"]
    for target in panel["targets"]:
        assert target["legendFormat"]


@pytest.mark.parametrize("name", list(dashboards()))
def test_panels_do_not_overlap(name: str) -> None:
    places = [panel["gridPos"] for panel in dashboards()[name]["panels"]]
    assert all(each["x"] >= 0 and each["x"] + each["w"] <= 24 for each in places)
    for one, other in itertools.combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)


@pytest.mark.parametrize("name", list(dashboards()))
def test_ids_are_unique_and_the_data_source_is_a_variable(name: str) -> None:
    """Ids are unique, and a variable selects the Prometheus."""
    dashboard = dashboards()[name]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    [variable] = dashboard["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    for panel in dashboard["panels"]:
        assert panel["datasource"] == {"type": "prometheus", "uid": f"${{{variable['name']}}}"}
