"""Lakes for the API to serve: a year of a few locations, and ten years of a thousand."""

from datetime import timedelta

from bench.history import YEAR, last_whole_hour
from bench.lake import Lake
from bench.load import LOCATIONS, write_locations
from bench.workplace import Workplace
from local.processes import Command, python_module, run_step
from weather.published import Published, read_published
from weather.window import Window, lookback_window

DAYS_ASKED_FOR = 365
WEEKS_OF_TEN_YEARS = 520
HOURS_OF_A_WHOLE_WEEK = 8 * 24
"""In no time zone are these fewer than seven whole days."""


def question(location: str) -> str:
    """The path and the query of a year of a location's days, up to yesterday."""
    end = last_whole_hour().date() - timedelta(days=1)
    start = end - timedelta(days=DAYS_ASKED_FOR - 1)
    return f"/weather/summary?location={location}&start={start}&end={end}"


def lake_of_a_year(workplace: Workplace) -> Lake:
    """A published year of the project's own locations, from the replay server."""
    lake = Lake(workplace, "api-a-year")
    end = last_whole_hour()
    # Two days more: a day has its hours before and after the window's.
    window = Window(end - timedelta(hours=YEAR + 48), end)
    lake.ingest(window)
    lake.build_models_together(window)
    lake.publish(window)
    return lake


def lake_of_ten_years(workplace: Workplace) -> tuple[Lake, list[Published]]:
    """Ten years of a thousand locations, published twice: a week was added in between.

    Returns:
        The lake, and what was published, the present one last.
    """
    locations = workplace.folder / "api-locations.yaml"
    write_locations(locations, LOCATIONS)
    lake = Lake(workplace, "api-ten-years", locations)
    window = lookback_window(last_whole_hour(), HOURS_OF_A_WHOLE_WEEK)
    lake.ingest(window)
    lake.build_models_together(window)
    published = []
    for weeks in (WEEKS_OF_TEN_YEARS, 1):
        arguments = python_module("bench.api_history", str(weeks))
        log = workplace.log(f"{lake.bucket}-history")
        run_step(Command("the years before", arguments, lake.environment, log))
        lake.publish(window)
        now_published = read_published(lake.store)
        assert now_published is not None
        published.append(now_published)
    return lake, published
