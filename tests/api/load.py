"""Clients of the API, one that asks once and one that never stops."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import httpx

CLIENTS = 2
SECONDS_BETWEEN_REQUESTS = 0.05


def days(client: httpx.Client, location: str = "lyon") -> list[str]:
    """The days served; none where there is no data yet."""
    answer = client.get("/weather/summary", params={"location": location})
    assert answer.status_code in {200, 404}, answer.text
    return [row["date"] for row in answer.json()] if answer.is_success else []


@contextmanager
def asking_all_the_time(client: httpx.Client) -> Iterator[list[httpx.Response]]:
    """Ask for the summary until the block ends; its answers, in no order."""
    answers: list[httpx.Response] = []
    ended = Event()

    def ask() -> None:
        while not ended.wait(SECONDS_BETWEEN_REQUESTS):
            answers.append(client.get("/weather/summary"))

    with ThreadPoolExecutor(CLIENTS) as pool:
        asking = [pool.submit(ask) for _ in range(CLIENTS)]
        try:
            yield answers
        finally:
            ended.set()
    for each in asking:
        each.result()
