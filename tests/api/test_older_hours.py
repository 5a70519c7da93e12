"""Older hours, also while the lake does not respond."""

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

pytestmark = pytest.mark.slow

SINCE, UNTIL = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 2, tzinfo=UTC)


def failure(older_hours: OlderHours, published: Published) -> str:
    """Return the error of a failing read."""
    with pytest.raises(StepError) as failed:
        older_hours.read(published, "lyon", SINCE, UNTIL)
    return str(failed.value)


def test_a_silent_catalog_times_out(lake: Lake) -> None:
    published = lake.publish()
    with silent_catalog() as port:
        catalog = f"postgres:host=127.0.0.1 port={port} connect_timeout=600"
        settings = lake.settings.model_copy(update={"lake_catalog": catalog})
        older_hours = OlderHours(settings, timeout_seconds=8)
        # One more than the pool has connections.
        requests = range(MAX_CONCURRENT + 1)
        with ThreadPoolExecutor(len(requests)) as clients:
            failures = list(clients.map(lambda _: failure(older_hours, published), requests))
    assert all("within 8 seconds" in each for each in failures)
    # Timed-out requests leave the pool usable.
    eventually(lambda: "cannot be opened" in failure(older_hours, published))


def hour_count(older_hours: OlderHours, published: Published) -> int:
    """Return the number of Lyon's hours."""
    everything = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    return len(older_hours.read(published, "lyon", *everything).rows)


def test_duckdb_is_prepared_once(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    connections = Mock(wraps=duckdb.connect)
    lake.write_hours("lyon", SINCE)
    first = lake.publish()
    lake.write_hours("lyon", UNTIL)
    second = lake.publish()
    monkeypatch.setattr("duckdb.connect", connections)
    older_hours = OlderHours(lake.settings)
    # Each snapshot is read as published, in any order.
    counts = [hour_count(older_hours, each) for each in (first, second, first)]
    assert counts == [1, 2, 1]
    assert connections.call_count == 1


def test_a_failed_query_does_not_affect_the_next(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.write_hours("lyon", SINCE)
    published = lake.publish()
    older_hours = OlderHours(lake.settings)
    assert hour_count(older_hours, published) == 1
    with monkeypatch.context() as patch:
        patch.setattr("api.data.older_hours.HOURS", "SELECT error($location || $since || $until)")
        assert "cannot be read" in failure(older_hours, published)
    assert hour_count(older_hours, published) == 1
