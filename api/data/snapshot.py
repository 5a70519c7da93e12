"""Load one published snapshot into memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from api.data.lake import lake_reader, naive_utc
from api.data.row_models import (
    STATISTICS,
    DailyWeather,
    HourlyWeather,
    MonthlyWeather,
    YearlyWeather,
    table_with_columns,
)
from api.data.series import Series
from weather.ducklake import attached_lake
from weather.published import Published
from weather.settings import LakeSettings
from weather.variables import VARIABLES, Statistic
from weather.window import HOUR

NEWEST_HOUR_LOOKBACK = timedelta(days=7)
"""Period before the lake's newest day that is searched for each location's newest hour."""

COMPLETENESS_PERIODS = (timedelta(days=1), timedelta(days=7))
"""Periods up to the newest due hour, in which the metrics count each location's hours."""

HOURS_IN_MEMORY = timedelta(days=15)
"""Period before the newest due hour whose hours are held in memory."""

_DAYS_TABLE = table_with_columns("daily_weather_stats", DailyWeather)
_HOURS_TABLE = table_with_columns("stg_weather", HourlyWeather)

DAYS = f"""
    SELECT location_id AS location, * EXCLUDE (location_id)
    FROM {_DAYS_TABLE}
    ORDER BY date DESC, location
"""  # noqa: S608 (names of the code)


def _of_days(statistic: Statistic) -> str:
    """Return the SQL expression that aggregates days to a month or a year."""
    column, function = statistic.column, statistic.function
    if function in {"min", "max"}:
        return f"{function}({column})"
    # Sums of decimals do not depend on the order of the rows.
    exact = f"{column}::DECIMAL(12, 4)"
    if statistic.weighted_by_hours:
        weights = f"sum(hours) FILTER ({column} IS NOT NULL)"
        return f"round(sum({exact} * hours)::DOUBLE / {weights}, 1)"
    return f"round({function}({exact})::DOUBLE, 1)"


_STATISTICS = ", ".join(
    f"{_of_days(statistic)} AS {statistic.column}" for _, statistic in STATISTICS
)
_HAS_VALUE = f"coalesce({', '.join(each.column for each in VARIABLES)}) IS NOT NULL"

PERIODS = """
    SELECT
        location_id AS location,
        {period} AS {name},
        {statistics},
        sum(hours)::INTEGER AS hours,
        count(*) AS days,
        count(*) FILTER (is_complete) AS complete_days,
        count(*) FILTER (is_complete) = {days} AS is_complete
    FROM {table}
    GROUP BY ALL
    ORDER BY {name} DESC, location
"""

MONTHS = PERIODS.format(
    statistics=_STATISTICS,
    table=_DAYS_TABLE,
    period="date_trunc('month', date)::DATE",
    name="month",
    days="day(last_day(any_value(date)))",
)
YEARS = PERIODS.format(
    statistics=_STATISTICS,
    table=_DAYS_TABLE,
    period="year(date)",
    name="year",
    days="dayofyear(make_date(year(any_value(date)), 12, 31))",
)

HOURS_COLUMNS = f"""
    SELECT
        location_id AS location,
        * EXCLUDE (location_id) REPLACE (
            date_trunc('second', hour_timestamp) AS hour_timestamp,
            date_trunc('second', fetched_at) AS fetched_at
        )
    FROM {_HOURS_TABLE}
"""  # noqa: S608 (names of the code)

HOURS = f"""
    {HOURS_COLUMNS}
    WHERE hour_timestamp >= $since
    ORDER BY hour_timestamp DESC, location
"""

NEWEST_HOURS = f"""
    SELECT location_id, coalesce(max(hour_timestamp), max(date)::TIMESTAMP)
    FROM (
        SELECT location_id, hour_timestamp
        FROM {_HOURS_TABLE}
        WHERE hour_timestamp >= $since
            AND {_HAS_VALUE}
        UNION ALL BY NAME
        SELECT location_id, date
        FROM {_DAYS_TABLE}
    )
    GROUP BY location_id
"""  # noqa: S608 (names of the code)

HOURS_PRESENT = f"""
    SELECT location_id, count(*)
    FROM {_HOURS_TABLE}
    WHERE hour_timestamp >= $since
        AND hour_timestamp < $until
        AND {_HAS_VALUE}
    GROUP BY location_id
"""  # noqa: S608 (names of the code)


@dataclass(frozen=True)
class Snapshot:
    """A published snapshot in memory, immutable.

    Each row takes about 60 bytes: 3,650 days of 1,000 locations are 220 MB.
    """

    published: Published
    days: Series
    months: Series
    years: Series
    hours: Series
    """Hours since `hours_since`; older hours stay in the lake."""
    hours_since: datetime
    newest_hours: Mapping[str, datetime]
    """Each location's newest hour with a value; for an old hour, midnight of the newest day."""
    hours_present: Mapping[timedelta, Mapping[str, int]]
    """Hours with a value by completeness period and location."""


def load_snapshot(settings: LakeSettings, published: Published) -> Snapshot:
    """Load the published snapshot from the lake, never a later snapshot.

    Raises:
        StepError: the lake cannot be opened or read.
    """
    with (
        attached_lake(settings, snapshot_id=published.snapshot_id) as connection,
        lake_reader(connection, published) as lake,
    ):
        days = lake.series(DAYS, DailyWeather, "date")
        newest_since = _newest_day(published, days) - NEWEST_HOUR_LOOKBACK
        newest_hours = {
            location: hour.replace(tzinfo=UTC)
            for location, hour in lake.rows(NEWEST_HOURS, since=naive_utc(newest_since))
        }
        due_until = max([published.window_end, *(each + HOUR for each in newest_hours.values())])
        hours_since = due_until - HOURS_IN_MEMORY
        return Snapshot(
            published,
            days=days,
            months=lake.series(MONTHS, MonthlyWeather, "month"),
            years=lake.series(YEARS, YearlyWeather, "year"),
            hours=lake.series(HOURS, HourlyWeather, "hour_timestamp", since=naive_utc(hours_since)),
            hours_since=hours_since,
            newest_hours=newest_hours,
            hours_present={
                period: dict(
                    lake.rows(
                        HOURS_PRESENT,
                        since=naive_utc(due_until - period),
                        until=naive_utc(due_until),
                    )
                )
                for period in COMPLETENESS_PERIODS
            },
        )


def _newest_day(published: Published, days: Series) -> datetime:
    """Return the later of the published window's end and the newest day's start.

    A backfill's window may end years before the newest data.
    """
    if not len(days.rows):
        return published.window_end
    newest: date = days.rows.column("date")[0].as_py()
    return max(published.window_end, datetime.combine(newest, time(), UTC))
