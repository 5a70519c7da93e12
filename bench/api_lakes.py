"""Lakes for the API: a year of the project's locations, and ten years of a thousand locations.

`python -m bench.api_lakes <weeks>` adds weeks to a mart, before its oldest one.
"""

import argparse
from datetime import timedelta

from bench.lake import LOCATIONS, Lake, last_whole_hour, write_locations
from bench.sandbox import Sandbox
from local.processes import Command, python_module, run_step
from weather.ducklake import attached_lake
from weather.lake.tested_snapshots import record_passed_tests
from weather.published import Published, read_published
from weather.settings import LakeSettings, read_settings
from weather.storage import Store
from weather.window import Window, lookback_window

DAYS = 365
WEEKS_OF_TEN_YEARS = 520
HOURS_OF_A_WHOLE_WEEK = 8 * 24
"""Hours that contain seven complete local days in every time zone."""

# A copy of days that the pipeline has made, so that the table and its files are real ones.
REPEAT = """
    INSERT INTO daily_weather_stats
    WITH oldest AS (
        SELECT location_id, min(date) AS date
        FROM daily_weather_stats
        GROUP BY location_id
    )
    SELECT days.* REPLACE (days.date - (7 * (weeks_before + 1))::INTEGER AS date)
    FROM daily_weather_stats AS days
    JOIN oldest USING (location_id)
    CROSS JOIN range($weeks) AS weeks (weeks_before)
    WHERE days.date < oldest.date + 7
    ORDER BY days.location_id, date
"""


def summary_path(location: str) -> str:
    """Return the path and query for a location's last 365 days."""
    end = last_whole_hour().date() - timedelta(days=1)
    start = end - timedelta(days=DAYS - 1)
    return f"/weather/summary?location={location}&start={start}&end={end}"


def lake_of_a_year(sandbox: Sandbox) -> Lake:
    """Publish a year of the project's locations, from the replay server."""
    lake = Lake(sandbox, "api-a-year")
    end = last_whole_hour()
    # Two more days, because the first local day starts before the first hour in UTC.
    window = Window(end - timedelta(days=DAYS + 2), end)
    lake.ingest(window)
    lake.build_models_together(window)
    lake.publish(window)
    return lake


def lake_of_ten_years(sandbox: Sandbox) -> tuple[Lake, list[Published]]:
    """Publish ten years of a thousand locations, then a second snapshot with one week more.

    Returns:
        The lake, and both published snapshots, the current one last.
    """
    locations = sandbox.folder / "api-locations.yaml"
    write_locations(locations, LOCATIONS)
    lake = Lake(sandbox, "api-ten-years", locations)
    window = lookback_window(last_whole_hour(), HOURS_OF_A_WHOLE_WEEK)
    lake.ingest(window)
    lake.build_models_together(window)
    snapshots = []
    for weeks in (WEEKS_OF_TEN_YEARS, 1):
        arguments = python_module("bench.api_lakes", str(weeks))
        log = sandbox.log(f"{lake.bucket}-history")
        run_step(Command("bench.api_lakes", arguments, lake.environment, log))
        lake.publish(window)
        published = read_published(lake.store)
        assert published is not None
        snapshots.append(published)
    return lake, snapshots


def repeat_oldest_week(settings: LakeSettings, weeks: int) -> None:
    """Copy each location's oldest week into the weeks before that week."""
    with attached_lake(settings) as lake:
        lake.execute(REPEAT, {"weeks": weeks})
        record_passed_tests(lake, Store(settings))


def main() -> None:
    """Add the number of weeks in the arguments to the configured lake."""
    parser = argparse.ArgumentParser(prog="python -m bench.api_lakes", description=__doc__)
    parser.add_argument("weeks", type=int)
    repeat_oldest_week(read_settings(LakeSettings), parser.parse_args().weeks)


if __name__ == "__main__":
    main()
