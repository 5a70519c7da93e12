"""The comparison is fair: all servers give the same rows, and the ready bytes the same bytes."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import httpx
import pytest

from bench.api_lakes import DAYS_ASKED_FOR
from bench.api_rivals import RIVALS
from bench.api_servers import NOT_MODIFIED, OURS, running_servers
from local.progress import Progress
from tests.api.lake import Lake, a_day
from tests.patience import PATIENCE
from weather.errors import StepError

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 20, 5, tzinfo=UTC)
"""A moment that stays: a day may begin while these servers start."""

LakeOf = Callable[[int], Lake]


@pytest.fixture
def lake_of(environment: None, monkeypatch: pytest.MonkeyPatch) -> LakeOf:
    """Makes a lake of that many days of two locations; one day has hardly a value."""
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


def test_all_of_them_answer_the_same(lake_of: LakeOf, tmp_path: Path) -> None:
    lake = lake_of(DAYS_ASKED_FOR + 10)
    progress = Progress(StringIO())
    with running_servers(lake.environment, tmp_path, "lyon", progress) as servers:
        answers = {
            name: httpx.get(
                each.address,
                headers={"Accept-Encoding": "identity", **each.headers},
                timeout=PATIENCE,
                trust_env=False,
            )
            for name, each in servers.asked.items()
        }
    ours = answers[OURS]
    days = [row["date"] for row in ours.json()]
    assert days[0] == str(NOW.date() - timedelta(days=1))
    assert days == sorted(days, reverse=True)
    assert len(set(days)) == DAYS_ASKED_FOR
    for rival in RIVALS:
        assert answers[rival].json() == ours.json()
    changing = ("date", "x-request-id")
    ready = answers["ready_bytes"]
    assert ready.content == ours.content
    assert {name: value for name, value in ready.headers.items() if name not in changing} == {
        name: value for name, value in ours.headers.items() if name not in changing
    }
    assert answers[NOT_MODIFIED].status_code == 304


def test_a_mart_with_fewer_days_is_not_measured(lake_of: LakeOf, tmp_path: Path) -> None:
    lake = lake_of(DAYS_ASKED_FOR)
    with (
        pytest.raises(StepError, match="with 364 days"),
        running_servers(lake.environment, tmp_path, "lyon", Progress(StringIO())),
    ):
        pytest.fail("They are not to be measured")
