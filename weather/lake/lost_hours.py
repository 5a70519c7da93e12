"""Reject a new snapshot that lacks published hours."""

import duckdb

from weather.ducklake import tables_of
from weather.errors import ExitCode, StepError
from weather.published import MART_KEY
from weather.settings import LakeSettings
from weather.storage import Store

MAX_DAYS_NAMED = 5

LOST_VALUES = """
    WITH readers AS (FROM stg_weather AT (VERSION => {snapshot_id})),
    present AS (FROM stg_weather)
    SELECT
        readers.location_id,
        readers.hour_timestamp::DATE AS date,
        count(*) AS hours
    FROM readers LEFT JOIN present USING (location_id, hour_timestamp)
    WHERE {lost}
    GROUP BY ALL
    ORDER BY ALL
"""

LOST_HOURS_OF_DAYS = """
    SELECT readers.location_id, readers.date, readers.hours - coalesce(present.hours, 0) AS hours
    FROM read_parquet('{mart}') AS readers
    LEFT JOIN daily_weather_stats AS present USING (location_id, date)
    WHERE readers.hours > coalesce(present.hours, 0)
        -- A published day that is missing may have 0 hours: precipitation or wind only.
        OR present.date IS NULL
    ORDER BY ALL
"""


def require_all_hours(
    lake: duckdb.DuckDBPyConnection, settings: LakeSettings, store: Store, readers: int | None
) -> None:
    """Raise StepError if the attached lake's newest snapshot lacks published hours.

    Args:
        lake: the attached lake.
        settings: settings of the store.
        store: the lake's bucket.
        readers: the published snapshot of this lake. None if another lake is published, because
            its catalog may be lost. Then the mart's plain file is compared. That file has only the
            number of hours by day, so a new hour hides a lost hour of the same day.

    Raises:
        StepError: readers would lose hours with values.
    """
    lost = _lost(lake, settings, store, readers)
    if not lost:
        return
    hours = sum(count for *_, count in lost)
    named = ", ".join(
        f"{location} {day} ({count})" for location, day, count in lost[:MAX_DAYS_NAMED]
    )
    more = f" and {len(lost) - MAX_DAYS_NAMED} more days" if len(lost) > MAX_DAYS_NAMED else ""
    raise StepError(
        f"Readers have {hours} hours of {len({location for location, *_ in lost})} locations that "
        f"this lake does not have: {named}{more}. Nothing was published, and the lake is "
        "unchanged. Restore a backup, or copy the missing responses to raw/ and run rebuild. To "
        "publish without these hours, run rebuild --allow-fewer-hours.",
        ExitCode.SETTING,
    )


def _lost(
    lake: duckdb.DuckDBPyConnection, settings: LakeSettings, store: Store, readers: int | None
) -> list[tuple[str, str, int]]:
    """Return location, day and number of lost hours. Days without a temperature count 0 hours."""
    if readers is not None:
        present, earlier = (_values(lake, snapshot_id) for snapshot_id in (None, readers))
        if not earlier:
            return []
        # Only columns of both versions can be compared.
        lost = " OR ".join(
            f"(readers.{name} IS NOT NULL AND present.{name} IS NULL)" for name in earlier & present
        )
        query = LOST_VALUES.format(snapshot_id=readers, lost=lost)
    elif next(store.list(MART_KEY), None) and "daily_weather_stats" in tables_of(lake):
        query = LOST_HOURS_OF_DAYS.format(mart=f"{settings.bucket_url}/{MART_KEY}")
    else:
        return []
    return lake.execute(query).fetchall()


def _values(lake: duckdb.DuckDBPyConnection, snapshot_id: int | None) -> set[str]:
    """Return the value columns of stg_weather, or no columns if the table does not exist."""
    at = "" if snapshot_id is None else f" AT (VERSION => {snapshot_id})"
    try:
        columns = lake.execute(f"DESCRIBE FROM stg_weather{at}").fetchall()
    except duckdb.CatalogException:
        return set()
    return {name for name, kind, *_ in columns if kind == "DOUBLE"}
