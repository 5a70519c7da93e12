"""Accessibility, security policy, size and layout stability of the page."""

import re
import shutil
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Route, expect

from tests.api.page.conftest import ARGUMENTS, MILLISECONDS, Open

PROJECT = Path(__file__).parents[3]
PAGE = PROJECT / "api" / "page"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Encoding": "gzip"}
MOST_BYTES = 100_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", ["?period=1-year", "?location=new-york", "?location=kolkata"])
def test_axe_finds_no_violations(address: str, visit: Open, scheme: str, query: str) -> None:
    # A colour in transition may have too little contrast.
    seen = visit(address, query, color_scheme=scheme, reduced_motion="reduce")
    if "kolkata" not in query:
        seen.page.click("summary")
    found = Axe().run(seen.page)
    assert found.violations_count == 0, found.generate_report()
    seen.keep(f"{scheme}-{query.partition('=')[2]}")


def test_no_console_errors_and_no_other_hosts(address: str, visit: Open) -> None:
    seen = visit(address)
    seen.page.select_option("#location", "new-york")
    expect(seen.page.locator("#name")).to_have_text("New York")
    seen.wait()
    seen.page.check("[value=all]")
    seen.wait()
    assert seen.errors == []
    assert seen.hosts == {httpx.URL(address).netloc.decode()}


def test_no_inline_style_or_script(address: str, visit: Open) -> None:
    seen = visit(address)

    def stricter(route: Route) -> None:
        response = route.fetch()
        policy = "default-src 'self'; base-uri 'none'; object-src 'none'"
        route.fulfill(
            response=response, headers={**response.headers, "content-security-policy": policy}
        )

    seen.page.route(f"{address}/", stricter)
    seen.load()
    assert seen.errors == []
    assert seen.page.locator("canvas").count() == 3


def test_the_attribution_is_visible(address: str, visit: Open) -> None:
    seen = visit(address)
    assert "Open-Meteo.com (CC BY 4.0)" in seen.text("footer")


def test_page_weight(weather: httpx.Client, address: str, visit: Open) -> None:
    seen = visit(address)
    loaded: list[str] = seen.page.evaluate(
        "performance.getEntriesByType('resource').map(({name}) => new URL(name).pathname)"
    )
    files = {path for path in loaded if path.startswith("/page/")}
    served = {
        f"/page/{file.relative_to(PAGE).as_posix()}"
        for file in PAGE.rglob("*")
        if file.suffix in {".js", ".css", ".svg"}
    }
    assert files == served
    sizes = []
    for path in ["/", *sorted(files)]:
        with weather.stream("GET", path, headers=BROWSER) as response:
            assert response.status_code == 200
            sizes.append(sum(len(part) for part in response.iter_raw()))
            assert response.headers["cache-control"].startswith("public")
    assert sum(sizes) < MOST_BYTES


@pytest.mark.parametrize(
    "path", ["/page/index.html", "/page/uplot/SHA256SUMS", "/page/..%2ffront_page.py", "/page/"]
)
def test_other_files_are_404(weather: httpx.Client, path: str) -> None:
    assert weather.get(path).status_code == 404


def test_noscript_links_the_data(weather: httpx.Client) -> None:
    page = weather.get("/", headers=BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "weather/summary?format=csv" in page.text.split("<noscript>")[1].split("</noscript>")[0]


def test_the_charting_library_is_unmodified() -> None:
    library = PAGE / "uplot"
    lines = (library / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    files = {file.name: file for file in library.iterdir() if file.name != "SHA256SUMS"}
    assert files.keys() == sums.keys()
    for name, file in files.items():
        assert sha256(file.read_bytes()).hexdigest() == sums[name], f"{name}: run make vendor"
    version = (library / "uPlot.iife.min.js").read_text(encoding="utf-8").partition("\n")[0]
    wanted = (PROJECT / "scripts" / "vendor").read_text(encoding="utf-8")
    assert version.rpartition("(v")[2].partition(")")[0] in wanted


@pytest.fixture(scope="module")
def scrolling(browser: Browser) -> Iterator[Browser]:
    """A browser with scroll bars that take room, unlike Playwright's default."""
    made = browser.browser_type.launch(
        executable_path=shutil.which("chromium") or browser.browser_type.executable_path,
        args=[*ARGUMENTS, "--disable-features=OverlayScrollbar,FluentOverlayScrollbar"],
        ignore_default_args=["--hide-scrollbars"],
    )
    yield made
    made.close()


SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const {value, hadRecentInput, sources} of list.getEntries()) {
    const moved = sources.map(({node}) => node?.id || node?.className || node?.nodeName);
    if (!hadRecentInput) window.shifts.push([value, moved.join(" ")]);
  }
}).observe({type: "layout-shift", buffered: true});
"""


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (768, 1024), (390, 844)])
@pytest.mark.parametrize("query", ["", "?period=all", "?location=new-york", "?location=kolkata"])
def test_no_layout_shift_while_loading(
    scrolling: Browser, address: str, width: int, height: int, query: str
) -> None:
    with scrolling.new_context(viewport={"width": width, "height": height}) as context:
        context.set_default_timeout(MILLISECONDS)
        page = context.new_page()
        page.add_init_script(SHIFTS)

        def slowly(route: Route) -> None:
            time.sleep(0.2)
            route.continue_()

        for path in ("readyz", "locations", "weather"):
            page.route(re.compile(f"/{path}"), slowly)
        page.goto(f"{address}/{query}")
        page.wait_for_selector("main[aria-busy=false]")
        page.wait_for_timeout(500)
        bar = page.evaluate("window.innerWidth - document.documentElement.clientWidth")
        assert bar > 0, "the scroll bar takes no room"
        shifts = page.evaluate("window.shifts")
        assert sum(value for value, _ in shifts) < 0.01, shifts
