"""Record and read the sources of a lake, also of one without source.json."""

import json

import pytest

from weather.errors import ExitCode, SourceError, StepError
from weather.published import SOURCE_KEY, read_source, require_source
from weather.source import OPEN_METEO, REPLAY, Source

STATION = Source(
    name="A station",
    attribution="Weather by a station",
    url="https://station.example.org/",
    licence="CC0",
    licence_url="https://creativecommons.org/publicdomain/zero/1.0/",
)


class FailingStore:
    """A store without the source's object, which fails for any other object."""

    bucket = "weather"

    def __init__(self, exit_code: ExitCode) -> None:
        self.exit_code = exit_code
        self.written: list[str] = []

    def get(self, key: str) -> bytes | None:
        """Return None for the source's object, and fail for all others."""
        if key == SOURCE_KEY:
            return None
        raise StepError("it fails", self.exit_code)

    def put(self, key: str, body: bytes) -> None:
        """Record the key."""
        self.written.append(key)


def test_no_source_is_recorded_in_an_unavailable_store() -> None:
    store = FailingStore(ExitCode.UNAVAILABLE)
    with pytest.raises(StepError, match="it fails"):
        require_source(store, REPLAY, "http://127.0.0.1")
    assert store.written == []


def test_the_source_is_unknown_without_read_access() -> None:
    assert read_source(FailingStore(ExitCode.SETTING)) is None


class FakeStore:
    """A store in memory."""

    bucket = "weather"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self.objects.get(key)

    def put(self, key: str, body: bytes) -> None:
        self.objects[key] = body


def test_a_lake_of_weather_records_each_source_once() -> None:
    store = FakeStore()
    for source in (OPEN_METEO, STATION, OPEN_METEO, STATION):
        require_source(store, source, "http://127.0.0.1")
    found = read_source(store)
    assert found is not None
    assert found.name == "Open-Meteo"
    assert found.each == [OPEN_METEO, STATION]
    with pytest.raises(SourceError, match=r"\(Open-Meteo, A station\) than"):
        require_source(store, REPLAY, "http://127.0.0.1")


def test_a_lake_of_one_source_has_the_object_of_older_versions() -> None:
    store = FakeStore()
    require_source(store, OPEN_METEO, "http://127.0.0.1")
    assert json.loads(store.objects[SOURCE_KEY]).keys() == {
        *("name", "replay", "attribution", "url", "licence", "licence_url")
    }
