"""Requests for older hours while the lake says nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from api.older_hours import AT_ONCE, OlderHours
from tests.api.lake import Lake
from tests.api.server import eventually
from tests.api.silent_catalog import silent_catalog
from weather.exit_codes import StepError
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
        older_hours = OlderHours(settings, seconds=8)
        # One more than have their turn at once.
        requests = range(AT_ONCE + 1)
        with ThreadPoolExecutor(len(requests)) as clients:
            failures = list(clients.map(lambda _: failure(older_hours, published), requests))
    assert all("within 8 seconds" in each for each in failures)
    # What waited in vain takes no turn of those who come when it has ended.
    eventually(lambda: "cannot be opened" in failure(older_hours, published))
