"""Clients of the API: one request, and constant load."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import httpx

CLIENTS = 2
SECONDS_BETWEEN_REQUESTS = 0.05


def days(client: httpx.Client, location: str = "lyon") -> list[str]:
    """Return the served days; empty without data."""
    response = client.get("/weather/summary", params={"location": location})
    assert response.status_code in {200, 404}, response.text
    return [row["date"] for row in response.json()] if response.is_success else []


@contextmanager
def constant_load(client: httpx.Client) -> Iterator[list[httpx.Response]]:
    """Request the summary until the block ends; yield the responses, unordered."""
    responses: list[httpx.Response] = []
    ended = Event()

    def send() -> None:
        while not ended.wait(SECONDS_BETWEEN_REQUESTS):
            responses.append(client.get("/weather/summary"))

    with ThreadPoolExecutor(CLIENTS) as pool:
        sending = [pool.submit(send) for _ in range(CLIENTS)]
        try:
            yield responses
        finally:
            ended.set()
    for each in sending:
        each.result()
