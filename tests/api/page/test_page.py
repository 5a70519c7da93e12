"""Charts, labels, controls and downloads of the page, with real data."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.api.page.conftest import LYONS_DAYS, TODAY, Open
from tests.api.server import eventually
from weather.window import HOUR

CHARTS = ("temperature", "rain", "wind")
DRAWN = """canvas => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let many = 0, sum = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3]) { many += 1; sum = (sum * 31 + data[at] + data[at + 1] + at) % 1000003; }
  }
  return [many, sum];
}"""
"""JavaScript that returns the number of a chart's drawn pixels and a checksum."""


def drawn(page: Page) -> dict[str, list[int]]:
    return {name: page.eval_on_selector(f"#{name}-chart canvas", DRAWN) for name in CHARTS}


def spoken(value: float) -> str:
    return f"{value:.1f}".replace("-", "\N{MINUS SIGN}")


def test_charts_show_the_rows_of_the_api(weather: httpx.Client, address: str, visit: Open) -> None:
    seen = visit(address)
    start = (TODAY - timedelta(days=29)).isoformat()
    rows = weather.get("/weather/summary", params={"start": start}).json()
    assert len(rows) == 28
    coldest = min(rows, key=lambda row: row["temp_min_c"])
    hottest = max(rows, key=lambda row: row["temp_max_c"])
    label = seen.page.get_attribute("#temperature-chart .uplot", "aria-label") or ""
    assert f"Lowest: {spoken(coldest['temp_min_c'])} °C" in label
    assert f"Highest: {spoken(hottest['temp_max_c'])} °C" in label
    for name, (pixels, _) in drawn(seen.page).items():
        assert pixels > 2000, name
    seen.page.click("summary")
    expect(seen.page.locator("table tbody tr")).to_have_count(28)
    table = seen.page.eval_on_selector_all(
        "table tbody tr", "lines => lines.map(line => [...line.cells].map(c => c.textContent))"
    )
    names = (
        "temp_min_c",
        "temp_avg_c",
        "temp_max_c",
        "total_precipitation_mm",
        "avg_windspeed_kmh",
    )
    assert [line[1:6] for line in table] == [
        ["\N{EN DASH}" if row[name] is None else spoken(row[name]) for name in names]
        for row in rows
    ]
    assert [line[6] for line in table] == ["no, 5 hours"] + ["yes"] * 27


def test_a_bar_is_drawn_at_its_day(weather: httpx.Client, address: str, visit: Open) -> None:
    page = visit(address).page
    middle = """([canvas, share]) => {
      const {width, height} = canvas, context = canvas.getContext("2d");
      const left = 44, right = width - 8;
      const x = Math.round(left + (right - left) * share);
      const {data} = context.getImageData(x, 0, 1, height);
      let strong = 0;
      for (let at = 3; at < data.length; at += 4) strong += data[at] > 250 ? 1 : 0;
      return strong;
    }"""
    canvas = page.query_selector("#rain-chart canvas")
    for back in range(1, 10):
        share = (30 - back - 0.5) / 30
        day = (TODAY - timedelta(days=back)).isoformat()
        (row,) = weather.get("/weather/summary", params={"start": day, "end": day}).json()
        rain = row["total_precipitation_mm"]
        pixels = page.evaluate(middle, [canvas, share])
        assert (pixels > 8) == bool(rain), (back, rain, pixels)


def test_the_newest_hour_is_shown_with_its_local_time(
    weather: httpx.Client, address: str, visit: Open
) -> None:
    seen = visit(address)
    newest = weather.get("/weather/hourly", params={"limit": 1}).json()[0]
    hour = datetime.fromisoformat(newest["hour_timestamp"]).astimezone(ZoneInfo("Europe/Paris"))
    offset = f"UTC+{hour:%z}"[:-2].replace("++0", "+")
    assert seen.text("#name") == "Lyon <sur Rhône>"
    assert seen.text("#temperature-label") == f"Temperature at {hour:%H:%M}"
    assert seen.text("#temperature") == f"{spoken(newest['temperature_c'])} °C" == "5.5 °C"
    assert seen.text("#rain-label") == f"Rain {hour - HOUR:%H:%M}\N{EN DASH}{hour:%H:%M}"
    assert (seen.text("#rain"), seen.text("#rain-remark")) == ("\N{EN DASH}", "no value")
    assert f"{hour.day} " in seen.text("#freshness")
    assert f", {hour:%H:%M} ({offset}), " in seen.text("#freshness")
    assert seen.text("#state") == "Up to date"
    assert seen.text("#notices") == ""
    assert "snapshot" not in seen.text("body")


def test_an_incomplete_day_is_labelled(weather: httpx.Client, address: str, visit: Open) -> None:
    seen = visit(address)
    day = weather.get("/weather/latest").json()
    assert seen.text("#newest-day") == f"{TODAY:%A}, {TODAY.day} {TODAY:%B %Y} · 5 hours so far"
    range_ = f"Between {spoken(day['temp_min_c'])} and {spoken(day['temp_max_c'])} °C"
    assert seen.text("#sentence").startswith(range_)
    assert seen.text("#selected-remark") == "incomplete: 5 hours"
    assert seen.text("#incomplete-key") == "incomplete day"


def test_the_range_bar_has_minimum_and_maximum(
    weather: httpx.Client, address: str, visit: Open
) -> None:
    page = visit(address).page
    rows = weather.get("/weather/summary", params={"limit": 28}).json()
    least = min(row["temp_min_c"] for row in rows)
    greatest = max(row["temp_max_c"] for row in rows)
    assert page.inner_text("#lowest") == spoken(least)
    assert page.inner_text("#highest") == f"{spoken(greatest)} °C"
    bar, mark = (page.locator(each).bounding_box() for each in (".groove", "#span"))
    assert bar is not None
    assert mark is not None
    shown = least + (greatest - least) * (mark["x"] - bar["x"]) / bar["width"]
    assert shown == pytest.approx(rows[0]["temp_min_c"], abs=0.3)
    assert "this day" in page.inner_text("#span-caption")


def test_complete_days_are_compared_with_complete_days(
    weather: httpx.Client, address: str, visit: Open
) -> None:
    seen = visit(address)
    rows = weather.get("/weather/summary", params={"limit": 28}).json()
    (newest, *others) = [row for row in rows if row["is_complete"]]
    assert newest["date"] == (TODAY - timedelta(days=1)).isoformat()
    usual = sum(row["temp_avg_c"] for row in others) / len(others)
    difference = newest["temp_avg_c"] - usual
    kind = "warmer" if difference > 0 else "colder"
    comparison = seen.text("#comparison")
    assert f"{spoken(newest['temp_avg_c'])} °C on average" in comparison
    assert (
        f"{spoken(abs(difference))} °C {kind} than the mean of the 26 other whole days below."
        in comparison
    )
    assert "the newest whole day" in comparison


def test_location_and_period_can_be_changed(address: str, visit: Open) -> None:
    seen = visit(address)
    page = seen.page
    pictures = [drawn(page)]
    page.select_option("#location", "new-york")
    expect(page.locator("#name")).to_have_text("New York")
    seen.wait()
    assert page.url == f"{address}/?location=new-york&period=30-days"
    assert page.title() == "New York · Weather"
    assert page.is_hidden("#incomplete-key")
    pictures.append(drawn(page))
    page.go_back()
    expect(page.locator("#name")).to_contain_text("Lyon")
    seen.wait()
    page.check("[value='1-year']")
    expect(page.locator("#day")).to_have_attribute("max", "364")
    pictures.append(drawn(page))
    page.check("[value=all]")
    expect(page.locator("#day")).to_have_attribute("max", str(LYONS_DAYS - 1))
    pictures.append(drawn(page))
    for name in CHARTS:
        assert len({tuple(picture[name]) for picture in pictures}) == 4, name
    page.reload()
    seen.wait()
    assert page.is_checked("[value=all]")
    assert page.input_value("#location") == "lyon"
    assert page.get_attribute("#day", "max") == str(LYONS_DAYS - 1)


def test_pointing_at_a_day_shows_its_values(
    weather: httpx.Client, address: str, visit: Open
) -> None:
    seen = visit(address)
    seen.page.locator("#wind-chart").scroll_into_view_if_needed()
    box = seen.page.locator("#wind-chart .u-over").bounding_box()
    assert box is not None
    for back in (1, 7, 29):
        x = box["x"] + box["width"] * (30 - back - 0.5) / 30
        seen.page.mouse.move(x, box["y"] + 20)
        day = TODAY - timedelta(days=back)
        dates = {"start": day.isoformat(), "end": day.isoformat()}
        (row,) = weather.get("/weather/summary", params=dates).json()
        # A browser may send the event with its next frame.
        expect(seen.page.locator("#selected-day")).to_contain_text(f", {day.day} ")
        assert seen.text("#wind-reading") == f"{spoken(row['avg_windspeed_kmh'])} km/h"
    x = box["x"] + box["width"] * (30 - 10 - 0.5) / 30
    seen.page.mouse.move(x, box["y"] + 20)
    expect(seen.page.locator("#temperature-reading")).to_have_text("no data")


def test_the_page_is_usable_by_keyboard(address: str, visit: Open) -> None:
    seen = visit(address)
    page = seen.page

    def focused() -> str:
        page.keyboard.press("Tab")
        outline = page.evaluate(
            "[document.activeElement, document.activeElement.nextElementSibling].some(each =>"
            " each && parseFloat(getComputedStyle(each).outlineWidth) >= 2"
            " && getComputedStyle(each).outlineStyle !== 'none')"
        )
        assert outline, "the focus cannot be seen"
        name: str = page.evaluate("document.activeElement.id || document.activeElement.textContent")
        return name

    assert focused() == "Skip to the weather"
    assert focused() == "location"
    page.keyboard.type("New")
    expect(page.locator("#name")).to_have_text("New York")
    seen.wait()
    focused()
    assert page.evaluate("document.activeElement.value") == "30-days"
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/?location=new-york&period=90-days")
    seen.wait()
    assert focused() == "day"
    newest = page.get_attribute("#day", "aria-valuetext") or ""
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#day")).not_to_have_attribute("aria-valuetext", newest)
    assert seen.text("#wind-reading") in (page.get_attribute("#day", "aria-valuetext") or "")
    focused()
    page.keyboard.press("Enter")
    expect(page.locator("table tbody tr")).to_have_count(20)
    focused()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "region"
    assert [focused() for _ in range(3)] == ["csv", "parquet", "json"]
    page.keyboard.press("Control+Home")
    page.reload()
    seen.wait()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#weather")).to_be_focused()


@pytest.mark.parametrize("period", ["30-days", "all"])
def test_the_page_fits_a_phone(address: str, visit: Open, period: str) -> None:
    seen = visit(address, f"?period={period}", width=390, has_touch=True, is_mobile=True)
    seen.page.click("summary")
    assert seen.page.evaluate("document.documentElement.scrollWidth") == 390
    for name in CHARTS:
        box = seen.page.locator(f"#{name}-chart canvas").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    seen.page.click("summary")
    seen.keep(f"phone-{period}")


def test_downloads_have_the_shown_rows(weather: httpx.Client, address: str, visit: Open) -> None:
    page = visit(address, "?location=new-york").page
    shown = weather.get(f"/{page.get_attribute('#json', 'href')}").json()
    assert len(shown) == 20
    lines = weather.get(f"/{page.get_attribute('#csv', 'href')}").text.splitlines()
    assert len(lines) == 21
    parquet = weather.get(f"/{page.get_attribute('#parquet', 'href')}")
    assert parquet.content.startswith(b"PAR1")
    names = {"csv": "summary-new-york.csv", "json": "new-york.json"}
    for form, name in names.items():
        with page.expect_download() as download:
            page.click(f"#{form}")
        assert download.value.suggested_filename == name


def test_charts_follow_the_colour_scheme(address: str, visit: Open) -> None:
    page = visit(address, color_scheme="light").page
    light = drawn(page)
    page.emulate_media(color_scheme="dark")
    # A browser notifies the page with its next frame.
    eventually(lambda: all(picture != light[name] for name, picture in drawn(page).items()))
