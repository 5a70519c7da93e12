"""`python -m bench.api_history <weeks>`: each location's oldest week, repeated back in time.

It adds to a mart that the pipeline has made, so that the table and its files are the real ones.
"""

import argparse

from weather.ducklake import attached_lake
from weather.lake.audit import record_audit
from weather.settings import LakeSettings, read_settings
from weather.storage import Store

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


def repeat_oldest_week(settings: LakeSettings, weeks: int) -> None:
    """Write that many copies of it, for the weeks before it."""
    with attached_lake(settings) as lake:
        lake.execute(REPEAT, {"weeks": weeks})
        record_audit(lake, Store(settings))


def main() -> None:
    """Write as many weeks as the argument says."""
    parser = argparse.ArgumentParser(prog="python -m bench.api_history", description=__doc__)
    parser.add_argument("weeks", type=int)
    repeat_oldest_week(read_settings(LakeSettings), parser.parse_args().weeks)


if __name__ == "__main__":
    main()
