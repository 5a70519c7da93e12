"""What is not there, and what may not be done."""

import httpx
import pytest


@pytest.mark.parametrize("path", ["/weather/summary/", "/docs/", "/healthz/"])
def test_a_slash_too_many_leads_nowhere(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "/docs" in answer.json()["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_who_may_not_write_is_told_what_may_be_done(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/weather/summary")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
