"""Fixtures: a bucket, a replay server with faults, and a retry policy with short waits."""

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from local.store import S3Server
from tests.replay_server import replay_server, set_faults
from tests.weather.buckets import made_bucket
from tests.weather.ingest.examples import Lines
from weather.ingest.fetch import RetryPolicy
from weather.ingest.http_json import Timeouts
from weather.published import SOURCE_KEY
from weather.settings import StoreSettings, read_settings
from weather.storage import Store


@pytest.fixture
def retry_policy() -> RetryPolicy:
    """The default number of attempts, with short waits.

    Timeouts are long for busy machines. Tests of timeouts shorten them.
    """
    return RetryPolicy(
        first_backoff=0.01,
        longest_backoff=0.05,
        minute=0.1,
        timeouts=Timeouts(connect=10, read=10, response=10),
    )


@pytest.fixture
def settings(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> StoreSettings:
    """Settings of an empty bucket, in an environment without a source and other settings."""
    for name in list(os.environ):
        if name.startswith(("WEATHER_", "OPEN_METEO_", "AWS_")):
            monkeypatch.delenv(name)
    environment = {
        **s3_server.environment,
        "WEATHER_BUCKET": made_bucket(s3_server),
        # Connections are refused there, so that no test reaches the real service by mistake.
        "OPEN_METEO_URL": "http://127.0.0.1:1",
        "OPEN_METEO_ARCHIVE_URL": "http://127.0.0.1:1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return read_settings(StoreSettings)


@pytest.fixture
def store(settings: StoreSettings) -> Store:
    return Store(settings)


@pytest.fixture
def stored(store: Store) -> Callable[[str], Lines]:
    """Read the JSON lines under a prefix, by key."""

    def read(prefix: str) -> Lines:
        return {
            key: [json.loads(line) for line in (store.get(key) or b"").splitlines()]
            for key in store.list(prefix)
            if key != SOURCE_KEY
        }

    return read


@pytest.fixture(scope="session")
def faulty_replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with replay_server(log=tmp_path_factory.mktemp("faulty") / "replay.log") as url:
        yield url


@pytest.fixture
def faults(
    settings: StoreSettings, faulty_replay: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], None]]:
    """Function that sets the faults of a replay server, which is the test's source."""
    monkeypatch.setenv("OPEN_METEO_URL", faulty_replay)
    monkeypatch.setenv("OPEN_METEO_ARCHIVE_URL", faulty_replay)

    set_faults(faulty_replay, "")
    yield partial(set_faults, faulty_replay)
    set_faults(faulty_replay, "")


@pytest.fixture
def three_locations(
    settings: StoreSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Ids of the configured locations."""
    ids = ["lyon", "new-york", "kolkata"]
    file = tmp_path / "locations.yaml"
    file.write_text(
        "".join(
            f"- {{id: {name}, name: {name}, latitude: {number}.5, longitude: {number}, "
            "timezone: Europe/Paris}\n"
            for number, name in enumerate(ids)
        )
    )
    monkeypatch.setenv("WEATHER_LOCATIONS", str(file))
    return ids
