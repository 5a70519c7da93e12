"""CORS headers of cached and uncached responses."""

from collections.abc import Iterator

import httpx
import pytest

from api.http.cache import CompleteResponse, ResponseHead
from api.http.cors import with_cors_headers
from tests.api.lake import Lake
from tests.api.server import running_api

ELSEWHERE = "https://elsewhere.example"
PATHS = ["/weather/summary", "/", "/healthz", "/no/such/path", "/weather/latest?x=y"]


def api_open_to(
    origins: str, lake: Lake, folders: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    environment = {**lake.environment, "WEATHER_API_CORS_ORIGINS": origins}
    with running_api(environment, folders.mktemp("api") / "log") as client:
        yield client


@pytest.fixture(scope="module")
def open_to_one(
    filled_lake: Lake, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    yield from api_open_to(ELSEWHERE, filled_lake, tmp_path_factory)


@pytest.fixture(scope="module")
def open_to_any(
    filled_lake: Lake, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    yield from api_open_to("*", filled_lake, tmp_path_factory)


def both_times(
    client: httpx.Client, path: str, headers: dict[str, str]
) -> Iterator[httpx.Response]:
    """Yield three responses to one request: rendered, cached, and 304."""
    for _ in range(2):
        response = client.get(path, headers=headers)
        yield response
    if "etag" in response.headers:
        unchanged = client.get(path, headers={**headers, "If-None-Match": response.headers["etag"]})
        assert unchanged.status_code == 304
        yield unchanged


@pytest.mark.parametrize("origin", [None, ELSEWHERE, "https://c.example"])
@pytest.mark.parametrize("path", PATHS)
def test_a_single_allowed_origin_varies_by_origin(
    open_to_one: httpx.Client, path: str, origin: str | None
) -> None:
    for response in both_times(open_to_one, path, {"Origin": origin} if origin else {}):
        varies = "accept, accept-encoding, origin" if "etag" in response.headers else "origin"
        assert response.headers["vary"] == varies
        allowed = response.headers.get("access-control-allow-origin")
        assert allowed == (origin if origin == ELSEWHERE else None)


@pytest.mark.parametrize("origin", [None, ELSEWHERE])
@pytest.mark.parametrize("path", PATHS)
def test_any_allowed_origin_is_in_every_response(
    open_to_any: httpx.Client, path: str, origin: str | None
) -> None:
    for response in both_times(open_to_any, path, {"Origin": origin} if origin else {}):
        assert response.headers.get_list("access-control-allow-origin") == ["*"]
        assert "Link" in response.headers["access-control-expose-headers"]
        assert "origin" not in response.headers.get("vary", "")


def test_no_cors_headers_without_allowed_origins() -> None:
    response = CompleteResponse(ResponseHead(200, [(b"vary", b"accept")]), b"", "/")
    assert with_cors_headers(response, []) is response
