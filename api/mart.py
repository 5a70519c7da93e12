"""The mart of one published snapshot, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from api.rows import DailyWeather
from weather.exit_codes import ExitCode, StepError
from weather.lake import attached_lake, first_line
from weather.published import Published
from weather.settings import LakeSettings

if TYPE_CHECKING:
    import duckdb

HOURS_READ = timedelta(days=7)
"""How far before the published window's end the hours of `stg_weather` are read."""

DAYS = """
    SELECT location_id AS location, * EXCLUDE (location_id)
    FROM daily_weather_stats
    ORDER BY location_id, date DESC
"""

NEWEST_HOURS = """
    SELECT location_id, max(moment)
    FROM (
        SELECT location_id, hour_timestamp AS moment
        FROM stg_weather
        WHERE hour_timestamp >= $since
            AND coalesce(temperature_c, precipitation_mm, windspeed_kmh) IS NOT NULL
        UNION ALL
        SELECT location_id, date::TIMESTAMP
        FROM daily_weather_stats
        WHERE date < $since::DATE
    )
    GROUP BY location_id
"""


@dataclass(frozen=True)
class Mart:
    """What one snapshot says; never changed, only replaced as a whole."""

    published: Published
    days: Mapping[str, Sequence[DailyWeather]]
    """Each location's days, the newest first."""
    newest_hours: Mapping[str, datetime]
    """Each location's newest hour with a value; only the day where that is older than a week."""

    def between(
        self, location: str, start: date | None, end: date | None
    ) -> Sequence[DailyWeather]:
        """A location's days from `start` to `end`, both inclusive, the newest first."""
        return [
            day
            for day in self.days.get(location, ())
            if (start is None or start <= day.date) and (end is None or day.date <= end)
        ]


def load_mart(settings: LakeSettings, published: Published) -> Mart:
    """Read the published snapshot, and no later one, from the lake.

    Raises:
        StepError: the lake cannot be opened or read.
    """
    import duckdb

    since = (published.window_end - HOURS_READ).astimezone(UTC).replace(tzinfo=None)
    with attached_lake(settings, snapshot_id=published.snapshot_id) as lake:
        try:
            days = _days(lake.execute(DAYS))
            newest_hours = lake.execute(NEWEST_HOURS, {"since": since}).fetchall()
        except duckdb.CatalogException:
            return Mart(published, days={}, newest_hours={})
        except duckdb.Error as error:
            raise StepError(
                f"Snapshot {published.snapshot_id} of the lake cannot be read: "
                f"{first_line(error)}. See that the catalog and the store are running.",
                ExitCode.UNAVAILABLE,
            ) from None
    return Mart(
        published,
        days=days,
        newest_hours={location: hour.replace(tzinfo=UTC) for location, hour in newest_hours},
    )


def _days(answer: "duckdb.DuckDBPyConnection") -> dict[str, list[DailyWeather]]:
    names = [column[0] for column in answer.description or ()]
    rows = (
        DailyWeather.model_validate(dict(zip(names, values, strict=True)))
        for values in answer.fetchall()
    )
    return {location: list(days) for location, days in groupby(rows, lambda row: row.location)}
