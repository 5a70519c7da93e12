"""The API and its baselines return the same rows, and `ready_bytes` the same bytes."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import httpx
import pytest

from bench.api_baselines import BASELINES, NOT_MODIFIED, OURS, running_servers
from bench.api_lakes import DAYS
from local.session import Progress
from tests.api.lake import Lake, a_day
from tests.timeouts import TIMEOUT_SECONDS
from weather.errors import StepError

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 20, 5, tzinfo=UTC)
"""A fixed time, because a day may begin while the servers start."""

LakeOf = Callable[[int], Lake]


@pytest.fixture
def lake_of(environment: None, monkeypatch: pytest.MonkeyPatch) -> LakeOf:
    """Make a lake with that many days of two locations. One day has nulls."""
    monkeypatch.setattr("bench.api_lakes.last_whole_hour", lambda: NOW)

    def make(count: int) -> Lake:
        days = [NOW.date() - timedelta(days=back) for back in range(count)]
        lake = Lake(os.environ)
        lake.create_bucket()
        lake.create()
        lake.create_tables(
            ("lyon", days[1], 1.5, None, None, None, 3.5, 1, False),
            *(a_day("lyon", day) for day in (days[0], *days[2:])),
            *(a_day("new-york", day, temp_max_c=30.5) for day in days),
        )
        lake.publish()
        return lake

    return make


def test_all_baselines_return_the_same_rows(lake_of: LakeOf, tmp_path: Path) -> None:
    lake = lake_of(DAYS + 10)
    progress = Progress(StringIO())
    with running_servers(lake.environment, tmp_path, "lyon", progress) as servers:
        responses = {
            name: httpx.get(
                each.address,
                headers={"Accept-Encoding": "identity", **each.headers},
                timeout=TIMEOUT_SECONDS,
                trust_env=False,
            )
            for name, each in servers.requests.items()
        }
    ours = responses[OURS]
    days = [row["date"] for row in ours.json()]
    assert days[0] == str(NOW.date() - timedelta(days=1))
    assert days == sorted(days, reverse=True)
    assert len(set(days)) == DAYS
    for baseline in BASELINES:
        assert responses[baseline].json() == ours.json()
    changing = ("date", "x-request-id")
    fixed = responses["ready_bytes"]
    assert fixed.content == ours.content
    assert {name: value for name, value in fixed.headers.items() if name not in changing} == {
        name: value for name, value in ours.headers.items() if name not in changing
    }
    assert responses[NOT_MODIFIED].status_code == 304


def test_a_mart_with_missing_days_is_not_measured(lake_of: LakeOf, tmp_path: Path) -> None:
    lake = lake_of(DAYS)
    with (
        pytest.raises(StepError, match="with 364 days"),
        running_servers(lake.environment, tmp_path, "lyon", Progress(StringIO())),
    ):
        pytest.fail("a mart with a missing day was measured")
