"""How older hours are read, and requests for them while the lake says nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from unittest.mock import Mock

import duckdb
import pytest

from api.data.older_hours import MAX_CONCURRENT, OlderHours
from tests.api.lake import Lake
from tests.api.server import eventually
from tests.api.silent_catalog import silent_catalog
from weather.errors import StepError
from weather.published import Published

SINCE, UNTIL = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 2, tzinfo=UTC)


def failure(older_hours: OlderHours, published: Published) -> str:
    """Why the hours cannot be read."""
    with pytest.raises(StepError) as failed:
        older_hours.read(published, "lyon", SINCE, UNTIL)
    return str(failed.value)


def test_nobody_waits_long_for_a_silent_catalog(lake: Lake) -> None:
    published = lake.publish()
    with silent_catalog() as port:
        patient = f"postgres:host=127.0.0.1 port={port} connect_timeout=600"
        settings = lake.settings.model_copy(update={"lake_catalog": patient})
        older_hours = OlderHours(settings, timeout_seconds=8)
        # One more than have their turn at once.
        requests = range(MAX_CONCURRENT + 1)
        with ThreadPoolExecutor(len(requests)) as clients:
            failures = list(clients.map(lambda _: failure(older_hours, published), requests))
    assert all("within 8 seconds" in each for each in failures)
    # What waited in vain takes no turn of those who come when it has ended.
    eventually(lambda: "cannot be opened" in failure(older_hours, published))


def hour_count(older_hours: OlderHours, published: Published) -> int:
    """How many hours of Lyon there are."""
    everything = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    return len(older_hours.read(published, "lyon", *everything).rows)


def test_what_reading_needs_is_loaded_once(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    connections = Mock(wraps=duckdb.connect)
    lake.write_hour("lyon", SINCE)
    first = lake.publish()
    lake.write_hour("lyon", UNTIL)
    second = lake.publish()
    monkeypatch.setattr("duckdb.connect", connections)
    older_hours = OlderHours(lake.settings)
    # Each as it was published, however they come after one another.
    counts = [hour_count(older_hours, each) for each in (first, second, first)]
    assert counts == [1, 2, 1]
    assert connections.call_count == 1


def test_a_reading_that_failed_leaves_nothing_to_the_next(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.write_hour("lyon", SINCE)
    published = lake.publish()
    older_hours = OlderHours(lake.settings)
    assert hour_count(older_hours, published) == 1
    with monkeypatch.context() as patch:
        patch.setattr("api.data.older_hours.HOURS", "SELECT error($location || $since || $until)")
        assert "cannot be read" in failure(older_hours, published)
    assert hour_count(older_hours, published) == 1
