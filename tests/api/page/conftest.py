"""A browser, and an API over a real lake for its page."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from local.store import S3Server
from tests.api.conftest import MakeLake
from tests.api.lake import Lake, Row
from tests.api.server import running_api
from tests.timeouts import TIMEOUT_SECONDS

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TODAY = datetime.now(UTC).date()
LYONS_DAYS, NEW_YORKS_DAYS = 400, 20
HOURS_LATE = 26
"""Age in hours of New York's newest hour, which is late. Lyon's newest hour is fresh."""

# The machine's network changed while the page was loading: not the page's fault.
NOT_THE_PAGES = "ERR_NETWORK_CHANGED"
MILLISECONDS = TIMEOUT_SECONDS * 1000
expect.set_options(timeout=MILLISECONDS)


@dataclass
class Visit:
    """A page in the browser, with its console errors and the hosts it requests."""

    page: Page
    address: str
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def keep_error(self, message: ConsoleMessage) -> None:
        """Record a console message of type `error`."""
        if message.type == "error":
            self.errors.append(message.text)

    def load(self, query: str = "") -> None:
        """Open the page and wait until it has loaded its data."""
        for _ in range(3):
            self.errors.clear()
            self.page.goto(f"{self.address}/{query}")
            if not any(NOT_THE_PAGES in error for error in self.errors):
                break
        self.wait()

    def wait(self) -> None:
        """Wait until no request is open."""
        self.page.wait_for_selector("main[aria-busy=false]", timeout=MILLISECONDS)

    def text(self, selector: str) -> str:
        """Return the text of an element."""
        return self.page.inner_text(selector)

    def keep(self, name: str) -> Path:
        """Save a screenshot of the whole page."""
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.evaluate("window.scrollTo(0, 0)")
        picture = ARTIFACTS / f"{name}.png"
        self.page.screenshot(path=picture, full_page=True)
        return picture


Open = Callable[..., Visit]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or else Playwright's."""
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or playwright.chromium.executable_path
        if not Path(program).exists():
            pytest.skip("Chromium not found: run `playwright install chromium`")
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Factory that opens an address, each time in another browser context."""
    contexts = []

    def open_page(address: str, query: str = "", width: int = 1100, **options: Any) -> Visit:
        size = ViewportSize(width=width, height=850)
        context = browser.new_context(viewport=size, locale="en-GB", **options)
        contexts.append(context)
        context.set_default_timeout(MILLISECONDS)
        page = context.new_page()
        seen = Visit(page, address)
        page.on("console", seen.keep_error)
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("request", lambda request: seen.hosts.add(httpx.URL(request.url).netloc.decode()))
        seen.load(query)
        return seen

    yield open_page
    for context in contexts:
        context.close()


def some_day(location: str, back: int, *, complete: bool = True) -> Row:
    """Return a day that differs from its neighbours."""
    mean = 12.0 - 9 * ((back % 365) - 182) / 182 + (back % 5) * 0.7
    rain = None if back == 3 else round((back % 4) * 1.3, 1)
    day = TODAY - timedelta(days=back)
    lowest, highest = round(mean - 3.5, 1), round(mean + 4.2, 1)
    hours = 24 if complete else 5
    return (location, day, lowest, highest, round(mean, 1), rain, 8.0 + back % 9, hours, complete)


@pytest.fixture(scope="session")
def pages_lake(make_lake: MakeLake, s3_server: S3Server) -> Lake:
    """A lake with late days of New York, and with Lyon's days until today except two."""
    lake = make_lake(s3_server, [some_day("lyon", 0, complete=False)])
    lake.write(
        *(some_day("lyon", back) for back in range(1, LYONS_DAYS) if back not in {10, 11}),
        *(some_day("new-york", back) for back in range(1, NEW_YORKS_DAYS + 1)),
    )
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    lake.write_hours("lyon", now)
    lake.write_hours("new-york", now - timedelta(hours=HOURS_LATE))
    lake.publish()
    return lake


@pytest.fixture(scope="session")
def weather(pages_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Client of an API over `pages_lake`."""
    with running_api(pages_lake.environment, tmp_path_factory.mktemp("page") / "log") as client:
        yield client


@pytest.fixture
def address(weather: httpx.Client) -> str:
    """URL of the API over `pages_lake`."""
    return str(weather.base_url).rstrip("/")
