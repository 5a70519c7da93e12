"""A local day has as many hours in SQL as in Python's time zones."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from jinja2 import Environment

MACROS = Path("dbt_project/macros/local_day.sql")
FIRST, LAST = date(2025, 1, 1), date(2026, 12, 31)

ZONES = {
    "Africa/Cairo": "23:59 is followed by 23:00 and by 01:00",
    "America/Havana": "00:59 is followed by 00:00, 23:59 by 01:00",
    "America/Santiago": "23:59 is followed by 23:00 and by 01:00",
    "Asia/Beirut": "23:59 is followed by 23:00 and by 01:00",
    "Asia/Kathmandu": "midnight is at a quarter past an hour in UTC",
    "Asia/Kolkata": "midnight is at half past an hour in UTC",
    "Atlantic/Azores": "00:59 is followed by 00:00 and by 02:00",
    "Australia/Lord_Howe": "the clock changes by half an hour",
    "Europe/Paris": "the clock changes far from midnight",
    "Pacific/Chatham": "the clock changes, at a quarter to an hour in UTC",
}
"""Where a day's first hour is hard to find, and why."""


def in_sql(zone: str) -> dict[date, int]:
    macros = Environment(autoescape=False).from_string(MACROS.read_text(encoding="utf-8")).module
    hours = macros.hours_of_local_day("days.date")  # type: ignore[attr-defined]
    return dict(
        duckdb.execute(
            f"""
            select days.date, {hours}
            from
                (select unnest(range(cast($first as date), cast($last as date) + 1, interval 1 day))
                    ::date as date) as days,
                (select $zone as timezone)
            """,
            {"first": FIRST, "last": LAST, "zone": zone},
        ).fetchall()
    )


def counted(zone: str) -> dict[date, int]:
    """Hour by hour."""
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) - timedelta(days=1)
    hours = ((LAST - FIRST).days + 3) * 24
    there = ZoneInfo(zone)
    dates = Counter((start + i * timedelta(hours=1)).astimezone(there).date() for i in range(hours))
    return {day: number for day, number in dates.items() if FIRST <= day <= LAST}


@pytest.mark.parametrize("zone", ZONES)
def test_each_day_has_its_hours_wherever_the_clock_changes(zone: str) -> None:
    expected = counted(zone)
    assert len(expected) == (LAST - FIRST).days + 1
    assert in_sql(zone) == expected
