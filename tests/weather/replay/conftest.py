"""One replay server for all tests of this folder."""

from collections.abc import Iterator

import httpx
import pytest

from tests.replay_server import replay_server


@pytest.fixture(scope="session")
def replay_client() -> Iterator[httpx.Client]:
    """Client of the replay server that all tests of this folder share."""
    with replay_server() as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture
def replay(replay_client: httpx.Client) -> httpx.Client:
    """Client of the shared replay server, without faults."""
    replay_client.post("/replay/faults", content="").raise_for_status()
    return replay_client
