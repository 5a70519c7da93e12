"""Days follow the rules of `tzdata`, and a rebuild applies new rules to old days."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path

import pytest

from tests.dbt_project.responses import RawResponse, store
from tests.pipeline import Pipeline
from weather import timezones
from weather.lake.__main__ import main as lake_step
from weather.window import HOUR, Window

START = datetime(2026, 10, 30, tzinfo=UTC)
WINDOW = Window(START, START + 96 * HOUR)
LOWEST = -40
"""Temperature at START. It rises by 1 °C each hour."""
VANCOUVER, LYON = "America/Vancouver", "Europe/Paris"


def zone_file(name: str) -> bytes:
    return resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()


def day(pipeline: Pipeline, location: str, of: date) -> tuple[object, ...]:
    """Return a day's lowest and highest temperature, its hours, and whether it is complete."""
    (row,) = pipeline.rows(
        "select temp_min_c, temp_max_c, hours, is_complete from daily_weather_stats"
        f" where location_id = '{location}' and date = '{of}'"
    )
    return row


def test_a_rebuild_applies_new_time_zone_rules(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until 2026, Vancouver's clocks went back as those of Los Angeles do."""
    hours = [float(hour) for hour in range(WINDOW.hours)]
    variables = {
        "temperature_2m": [LOWEST + hour for hour in hours],
        "precipitation": hours,
        "wind_speed_10m": hours,
    }
    responses = [
        RawResponse(location, WINDOW.end, variables, START, timezone)
        for location, timezone in (("vancouver", VANCOUVER), ("lyon", LYON))
    ]
    old_rules = {VANCOUVER: zone_file("America/Los_Angeles")}
    store(pipeline, WINDOW, [*responses])
    with monkeypatch.context() as old:
        old.setattr(timezones, "_data", lambda name: old_rules.get(name) or zone_file(name))
        assert pipeline.transform()
        assert pipeline.publish() == 0
    # 1 November began at 07:00 UTC and had 25 hours.
    assert day(pipeline, "vancouver", date(2026, 11, 1)) == (15.0, 39.0, 25, True)
    lyon = day(pipeline, "lyon", date(2026, 11, 1))
    # From 23:00 UTC of the day before.
    assert lyon == (7.0, 30.0, 24, True)

    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    # A rebuild is a separate process, so it opens DuckDB again.
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    assert lake_step(["rebuild"]) == 0
    assert day(pipeline, "vancouver", date(2026, 11, 1)) == (15.0, 38.0, 24, True)
    assert day(pipeline, "vancouver", date(2026, 11, 2)) == (39.0, 55.0, 17, False)
    assert day(pipeline, "lyon", date(2026, 11, 1)) == lyon


def test_the_machines_time_zone_rules_are_not_used(tmp_path: Path) -> None:
    """PYTHONTZPATH replaces /usr/share/zoneinfo, which ZoneInfo prefers to the package."""
    (tmp_path / "Europe").mkdir()
    for name in ("Paris", "Lyon"):
        (tmp_path / "Europe" / name).write_bytes(zone_file("Asia/Tokyo"))
    program = (
        "from datetime import datetime, UTC; from zoneinfo import ZoneInfo;"
        "from weather.timezones import utc_offsets, zone, zone_names;"
        "moment = datetime(2026, 7, 1, tzinfo=UTC);"
        "names = ZoneInfo('Europe/Paris'), zone('Europe/Paris');"
        "print(*(moment.astimezone(each).hour for each in names),"
        " utc_offsets()['Europe/Paris'][-1].offset_before % 3600, 'Europe/Lyon' in zone_names())"
    )
    output = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONTZPATH": str(tmp_path)},
    ).stdout
    assert output.split() == ["9", "2", "0", "False"]
