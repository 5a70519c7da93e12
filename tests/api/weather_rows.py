"""Generated weather for tests that need no server."""

from collections.abc import Sequence
from datetime import date

import pyarrow as pa

from api.data.row_models import DailyWeather, arrow_schema
from api.data.series import Series
from weather.variables import VARIABLES

NO_VALUES: dict[str, float | None] = {
    statistic.column: None for variable in VARIABLES for statistic in variable.statistics
}
"""A null for every statistic of a day."""

NUMBERED = pa.dictionary(pa.int32(), pa.string())


def batch_of(rows: Sequence[DailyWeather]) -> pa.RecordBatch:
    """Return rows as the API holds them in memory."""
    schema = arrow_schema(DailyWeather)
    schema = schema.set(0, schema.field(0).with_type(NUMBERED))
    return pa.RecordBatch.from_pylist([row.model_dump() for row in rows], schema)


def series_of(rows: Sequence[DailyWeather]) -> Series:
    """Sort rows into a series."""
    return Series(batch_of(in_order(rows)), "date")


def in_order(rows: Sequence[DailyWeather]) -> list[DailyWeather]:
    """Sort newest first, then by location."""
    return sorted(rows, key=lambda row: (-row.date.toordinal(), row.location))


def a_row(location: str, day: date, temp_min_c: float | None = 1.5) -> DailyWeather:
    """Return a location's row for one day, with example values."""
    values = {
        "temp_min_c": temp_min_c,
        "temp_max_c": 9.0,
        "temp_avg_c": 5.5,
        "total_precipitation_mm": None,
        "avg_windspeed_kmh": 12.25,
    }
    return DailyWeather(
        location=location, date=day, hours=24, is_complete=True, **(NO_VALUES | values)
    )
