"""The files of `/docs`, and the caching of these files."""

import httpx
import pytest

from tests.api.test_health import samples

ASSETS = ["swagger-ui.css", "swagger-ui-bundle.js", "start-swagger-ui.js"]
PATHS = ["/docs", *(f"/docs/{name}" for name in ASSETS)]


@pytest.mark.parametrize("path", PATHS)
def test_docs_files_are_cacheable(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.headers["cache-control"] == "public, max-age=3600"
    again = client.get(path, headers={"If-None-Match": response.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_the_largest_file_is_compressed(client: httpx.Client) -> None:
    path = "/docs/swagger-ui-bundle.js"
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    compressed = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert compressed.headers["content-encoding"] == "gzip"
    assert int(compressed.headers["content-length"]) < len(plain.content) / 3
    assert compressed.content == plain.content


@pytest.mark.parametrize("path", PATHS)
def test_a_request_with_a_query_string_is_not_cached(client: httpx.Client, path: str) -> None:
    before = samples(client)["weather_ready_bytes"]
    response = client.get(f"{path}?made=up")
    assert response.status_code == 200
    assert "cache-control" not in response.headers
    assert samples(client)["weather_ready_bytes"] == before
