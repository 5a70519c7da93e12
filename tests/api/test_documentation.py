"""The files of `/docs`: how clients keep them, and what the API itself keeps of them."""

import httpx
import pytest

from tests.api.test_operations import samples

ASSETS = ["swagger-ui.css", "swagger-ui-bundle.js", "start-swagger-ui.js"]
PATHS = ["/docs", *(f"/docs/{name}" for name in ASSETS)]


@pytest.mark.parametrize("path", PATHS)
def test_they_are_kept_and_known_again(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["cache-control"] == "public, max-age=3600"
    again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_the_largest_is_compressed(client: httpx.Client) -> None:
    path = "/docs/swagger-ui-bundle.js"
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    compressed = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert compressed.headers["content-encoding"] == "gzip"
    assert int(compressed.headers["content-length"]) < len(plain.content) / 3
    assert compressed.content == plain.content


@pytest.mark.parametrize("path", PATHS)
def test_an_address_that_somebody_made_up_takes_no_memory(client: httpx.Client, path: str) -> None:
    before = samples(client)["weather_ready_bytes"]
    answer = client.get(f"{path}?made=up")
    assert answer.status_code == 200
    assert "cache-control" not in answer.headers
    assert samples(client)["weather_ready_bytes"] == before
