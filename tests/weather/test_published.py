"""The source of a lake's data, where an older version has published without naming it."""

import pytest

from weather.errors import ExitCode, StepError
from weather.published import SOURCE_KEY, read_source, require_source
from weather.source import REPLAY


class FailingStore:
    """A store without the source's object, which fails for any other object."""

    bucket = "weather"

    def __init__(self, exit_code: ExitCode) -> None:
        self.exit_code = exit_code
        self.written: list[str] = []

    def get(self, key: str) -> bytes | None:
        """None for the source's object; fails for all others."""
        if key == SOURCE_KEY:
            return None
        raise StepError("it fails", self.exit_code)

    def put(self, key: str, body: bytes) -> None:
        """Note the key."""
        self.written.append(key)


def test_a_store_that_is_away_does_not_let_a_replay_name_the_source() -> None:
    store = FailingStore(ExitCode.UNAVAILABLE)
    with pytest.raises(StepError, match="it fails"):
        require_source(store, REPLAY, "http://127.0.0.1")
    assert store.written == []


def test_without_the_right_to_read_what_is_published_the_source_is_unknown() -> None:
    assert read_source(FailingStore(ExitCode.SETTING)) is None
