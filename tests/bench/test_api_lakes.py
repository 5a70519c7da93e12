"""Years are added to a mart without gaps and duplicate days."""

import os
from datetime import date, timedelta

import pytest

from bench.api_lakes import repeat_oldest_week
from tests.api.lake import Lake, a_day
from weather.ducklake import attached_lake

pytestmark = pytest.mark.slow

NEWEST = {"lyon": date(2026, 11, 23), "kolkata": date(2026, 11, 24)}
DAYS = {"lyon": 8, "kolkata": 9}


@pytest.fixture
def lake(environment: None) -> Lake:
    """A lake with days whose highest temperature is the number of the weekday."""
    lake = Lake(os.environ)
    lake.create_bucket()
    lake.create()
    days = [
        (location, NEWEST[location] - timedelta(days=back))
        for location in NEWEST
        for back in range(DAYS[location])
    ]
    lake.create_tables(*(a_day(name, day, float(day.isoweekday())) for name, day in days))
    return lake


def test_the_oldest_week_is_repeated(lake: Lake) -> None:
    repeat_oldest_week(lake.settings, weeks=3)
    repeat_oldest_week(lake.settings, weeks=1)
    with attached_lake(lake.settings) as connection:
        rows = connection.execute(
            "SELECT location_id, date, temp_max_c FROM daily_weather_stats ORDER BY ALL"
        ).fetchall()
    for location, newest in NEWEST.items():
        days = [day for name, day, _ in rows if name == location]
        count = DAYS[location] + 4 * 7
        assert days == [newest - timedelta(days=back) for back in range(count)][::-1]
    assert all(highest == day.isoweekday() for _, day, highest in rows)
