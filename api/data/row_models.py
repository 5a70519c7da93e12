"""The models of the API's rows: pydantic for OpenAPI and validation, Arrow for data."""

import datetime
from collections.abc import Iterable
from functools import cache
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

from weather.variables import VARIABLES, Variable

UNIT = "x-unit"

STATISTICS = [(variable, each) for variable in VARIABLES for each in variable.statistics]
"""Statistics of a day in the order of the mart's columns, each with its variable."""


def _in(unit: str) -> JsonDict:
    """Return the OpenAPI extension for a field's unit. Names of extensions begin with `x-`."""
    return {UNIT: unit}


Degrees = Annotated[float, Field(json_schema_extra=_in("°"))]


class Row(BaseModel):
    """A row of a response. A missing value is null."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WeatherRow(Row):
    """A row with the weather of one location."""

    location: str = Field(
        description="Id of the location, as in locations.yaml.", examples=["lyon"]
    )


def _with_values(base: type[Row], columns: Iterable[tuple[Variable, str, str]]) -> Any:
    """Return the base model with a nullable number field for each variable and column name."""
    fields: dict[str, Any] = {
        name: (
            Annotated[
                float,
                Field(json_schema_extra=_in(variable.unit), examples=[variable.example]),
            ]
            | None,
            Field(description=description),
        )
        for variable, name, description in columns
    }
    return create_model(f"{base.__name__}Values", __base__=base, **fields)


class _Day(WeatherRow):
    date: datetime.date = Field(
        description="The day, in the location's time zone.", examples=["2026-11-20"]
    )


_DayValues: Any = _with_values(
    _Day, ((variable, each.column, each.description) for variable, each in STATISTICS)
)


class DailyWeather(_DayValues):  # type: ignore[misc]
    """One local day of one location. A statistic without a value is null."""

    hours: int = Field(
        ge=0,
        le=25,
        description="Hours of the local day that have a temperature.",
        examples=[24],
        json_schema_extra=_in("h"),
    )
    is_complete: bool = Field(
        description="Whether `hours` is as many as the local day has: 23, 24 or 25."
    )


class _Hour(WeatherRow):
    hour_timestamp: datetime.datetime = Field(
        description="The hour, in UTC.", examples=["2026-11-20T05:00:00Z"]
    )


_HourValues: Any = _with_values(
    _Hour, ((variable, variable.column, variable.description) for variable in VARIABLES)
)


class HourlyWeather(_HourValues):  # type: ignore[misc]
    """One hour of one location. A missing or impossible value is null."""

    fetched_at: datetime.datetime = Field(
        description="When the newest response for the hour was received, in UTC.",
        examples=["2026-11-20T06:07:12Z"],
    )


_PeriodValues: Any = _with_values(
    WeatherRow, ((variable, each.column, each.period_description) for variable, each in STATISTICS)
)


class _Statistics(_PeriodValues):  # type: ignore[misc]
    """Statistics of the days of a month or a year."""

    hours: int = Field(
        ge=0,
        description="Hours that have a temperature.",
        examples=[720],
        json_schema_extra=_in("h"),
    )
    days: int = Field(
        ge=1,
        description="Days that have any value.",
        examples=[30],
        json_schema_extra=_in("d"),
    )
    complete_days: int = Field(
        ge=0,
        description="Days that are complete.",
        examples=[30],
        json_schema_extra=_in("d"),
    )
    is_complete: bool = Field(
        description="Whether all days of the calendar month or year are complete."
    )


class _Month(WeatherRow):
    month: datetime.date = Field(
        description="The month, as its first day.", examples=["2026-11-01"]
    )


class _Year(WeatherRow):
    year: int = Field(description="The year.", examples=[2026])


# The fields of the last base class come first.
class MonthlyWeather(_Statistics, _Month):
    """One calendar month of one location, computed from its days."""


class YearlyWeather(_Statistics, _Year):
    """One calendar year of one location, computed from its days."""


class KnownLocation(Row):
    """A location, and the extent of its data. The last four fields are null without data."""

    id: str = Field(description="Id of the location.", examples=["lyon"])
    name: str = Field(description="Name of the location.", examples=["Lyon"])
    latitude: Degrees = Field(description="Latitude as configured, in °.", examples=[45.75])
    longitude: Degrees = Field(description="Longitude as configured, in °.", examples=[4.85])
    timezone: str = Field(
        description="IANA time zone of the location's days.", examples=["Europe/Paris"]
    )
    is_default: bool = Field(description="Whether requests without `location` mean this location.")
    first_date: datetime.date | None = Field(
        description="The oldest day with data.", examples=["2025-11-20"]
    )
    last_date: datetime.date | None = Field(
        description="The newest day with data, which may be incomplete.", examples=["2026-11-20"]
    )
    days: int | None = Field(
        description="Days with data.", examples=[366], json_schema_extra=_in("d")
    )
    newest_hour: datetime.datetime | None = Field(
        description=(
            "The newest hour with a value, in UTC. If that hour is more than a week older than the "
            "newest run, midnight of the newest day."
        ),
        examples=["2026-11-20T05:00:00Z"],
    )


ARROW_TYPES: dict[type, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int32(),
    float: pa.float64(),
    str: pa.string(),
    datetime.date: pa.date32(),
    datetime.datetime: pa.timestamp("s", tz="UTC"),
}

SQL_TYPES: dict[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int32(): "INTEGER",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.date32(): "DATE",
    pa.timestamp("s", tz="UTC"): "TIMESTAMP",
}

LAKE_NAMES = {"location": "location_id"}
"""Column names in the lake of the fields whose API name differs."""


@cache
def arrow_schema(model: type[Row]) -> pa.Schema:
    """Return the model's Arrow schema, with each field's description and unit as metadata."""
    return pa.schema(
        pa.field(
            name,
            ARROW_TYPES[_plain(field.annotation)],
            nullable=NoneType in get_args(field.annotation),
            metadata=_metadata(field),
        )
        for name, field in model.model_fields.items()
    )


def table_with_columns(table: str, model: type[Row]) -> str:
    """Return a subquery of a lake table that has every column of the model.

    A column that an older snapshot lacks is null. Other columns of a newer snapshot stay.
    """
    columns = ", ".join(
        f"NULL::{SQL_TYPES[field.type]} AS {LAKE_NAMES.get(field.name, field.name)}"
        for field in arrow_schema(model)
    )
    # DuckDB passes filters through to the files of the table.
    return f"(SELECT {columns} WHERE false UNION ALL BY NAME SELECT * FROM {table})"  # noqa: S608 (names of the code)


def _plain(annotation: Any) -> type:
    """Return the type without `| None` and `Annotated`."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if NoneType in get_args(annotation):
        return _plain(get_args(annotation)[0])
    assert isinstance(annotation, type)
    return annotation


def _metadata(field: FieldInfo) -> dict[str, str]:
    metadata = {"description": field.description or ""}
    annotations = [field, *(each for each in _annotated(field.annotation) if each is not None)]
    for each in annotations:
        extra = getattr(each, "json_schema_extra", None)
        if isinstance(extra, dict) and UNIT in extra:
            metadata["unit"] = str(extra[UNIT])
    return metadata


def _annotated(annotation: Any) -> list[Any]:
    return [
        extra
        for part in get_args(annotation)
        if get_origin(part) is Annotated
        for extra in get_args(part)[1:]
    ]
