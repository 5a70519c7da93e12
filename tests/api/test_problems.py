"""404 and 405 as problems."""

import httpx
import pytest


@pytest.mark.parametrize("path", ["/weather/summary/", "/docs/", "/healthz/"])
def test_a_trailing_slash_is_404(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert "/docs" in response.json()["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_405_has_the_allow_header(client: httpx.Client, method: str) -> None:
    response = client.request(method, "/weather/summary")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD"
