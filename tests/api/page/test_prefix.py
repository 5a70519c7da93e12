"""Relative URLs of the API work behind a proxy that strips a path prefix."""

from collections.abc import Iterator
from urllib.parse import urljoin

import httpx
import pytest
from playwright.sync_api import Browser, Route, expect

from tests.api.page.conftest import ARTIFACTS, MILLISECONDS, Open
from tests.api.page.cutting_proxy import cutting_proxy
from tests.timeouts import TIMEOUT_SECONDS


@pytest.fixture(scope="module", params=["", "/api", "/team/weather/v1"])
def root(request: pytest.FixtureRequest, weather: httpx.Client) -> Iterator[str]:
    """URL of the API behind a proxy, without a trailing slash."""
    with cutting_proxy(weather, request.param) as proxy:
        yield proxy.address


def get(address: str) -> httpx.Response:
    """Return the successful response of a URL."""
    return httpx.get(address, timeout=TIMEOUT_SECONDS, trust_env=False).raise_for_status()


@pytest.mark.parametrize(
    ("path", "query", "limit", "pages"),
    [
        ("/weather/summary", "location=all", 100, 5),
        ("/weather/summary", "fields=date", 300, 2),
        ("/weather/monthly", "location=lyon&location=new-york", 6, 3),
        ("/weather/yearly", "location=lyon", 1, 2),
    ],
)
def test_next_links_keep_the_prefix(
    weather: httpx.Client, root: str, path: str, query: str, limit: int, pages: int
) -> None:
    address, rows, number = f"{root}{path}?limit={limit}&{query}", [], 0
    while address:
        response = get(address)
        rows += response.json()
        number += 1
        link = response.links.get("next", {}).get("url")
        address = urljoin(str(response.url), link) if link else ""
    assert number >= pages
    assert rows == weather.get(f"{path}?{query}").json()


def test_the_front_page_links_the_docs(root: str) -> None:
    path = get(f"{root}/").json()["docs"]
    assert path == "/docs"
    assert get(f"{root}{path}").headers["content-type"].startswith("text/html")


def test_openapi_servers_has_the_prefix(root: str) -> None:
    document = get(f"{root}/openapi.json")
    (server,) = document.json()["servers"]
    # Validators of OpenAPI reject a slash at the end.
    assert not server["url"].endswith("/")
    address = urljoin(str(document.url), server["url"]).rstrip("/")
    assert address == root
    for path in document.json()["paths"]:
        assert get(f"{address}{path}").is_success


def test_swagger_ui_sends_requests(root: str, browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(MILLISECONDS)
        requested: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{root}/docs")
        operation = page.locator(".opblock").filter(has_text="/weather/latest")
        operation.locator(".opblock-summary-control").click()
        operation.locator(".try-out__btn").click()
        operation.locator(".execute").click()
        expect(operation.locator(".request-url pre")).to_have_text(f"{root}/weather/latest")
        status = operation.locator(".live-responses-table .response .response-col_status")
        expect(status.first).to_contain_text("200")
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTIFACTS / "docs-behind-prefix.png")
        assert f"{root}/weather/latest" in requested
        assert [each for each in requested if not each.startswith((f"{root}/", "data:"))] == []
        assert errors == []


def test_the_page_follows_next_links(root: str, visit: Open) -> None:
    seen = visit(root)

    def limited(route: Route) -> None:
        address = route.request.url
        requested.append(address)
        route.continue_(url=address if "limit=" in address else f"{address}&limit=20")

    requested: list[str] = []
    seen.page.route(f"{root}/weather/summary*", limited)
    seen.page.check("[value='90-days']")
    seen.wait()
    assert seen.page.get_attribute("#day", "max") == "89"
    assert len(requested) >= 5
    assert all(each.startswith(f"{root}/weather/summary?") for each in requested)
    assert seen.errors == []
    seen.keep("behind-prefix")
