"""The parameters of the routes, and what is wrong with them."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from api.data import cursors
from api.data.rows import (
    DailyWeather,
    HourlyWeather,
    KnownLocation,
    MonthlyWeather,
    Row,
    YearlyWeather,
)
from api.formats.formats import MEDIA_TYPES, Format

ROWS_A_PAGE = 10_000
"""The most rows of one answer: 1.9 MB of JSON."""

LOCATIONS_A_REQUEST = 100

DAYS_OF_HOURS = 366
"""The longest range of hours in one answer, so that it is read from the lake in a moment."""


def _only(form: str, value: object) -> object:
    """Refuse text of another form, which pydantic would find a meaning in as well."""
    if isinstance(value, str) and not re.fullmatch(form, value):
        raise PydanticCustomError("form", "It has another form")
    return value


Day = Annotated[date, BeforeValidator(lambda value: _only("[0-9]{4}-[0-9]{2}-[0-9]{2}", value))]
Count = Annotated[int, Field(ge=1), BeforeValidator(lambda value: _only("[0-9]+", value))]
LocationId = Annotated[str, Field(max_length=60)]


def _fields(row: type[Row]) -> Any:
    names = "|".join(row.model_fields)
    return Field(
        None,
        pattern=f"^({names})(,({names}))*$",
        max_length=500,
        description="The columns wanted, separated by commas; left out, all of them.",
        examples=[",".join(list(row.model_fields)[:3])],
    )


class Query(BaseModel):
    """What every route of rows takes; a parameter that is none is refused rather than ignored."""

    model_config = ConfigDict(extra="forbid")

    format: Format | None = Field(
        None,
        description=(
            "The form of the answer; left out, what `Accept` likes best of "
            f"{', '.join(MEDIA_TYPES.values())}."
        ),
        examples=["csv"],
    )
    fields: str | None = None


class OneLocationQuery(Query):
    """Which location."""

    location: LocationId | None = Field(
        None,
        description="Id of the location; left out, the first of locations.yaml.",
        examples=["lyon"],
    )


class RangeQuery(Query):
    """Which days, and how many rows."""

    start: Day | None = Field(
        None,
        description="The first day wanted, in the location's time zone.",
        examples=["2026-11-01"],
    )
    end: Day | None = Field(
        None,
        description="The last day wanted, in the location's time zone.",
        examples=["2026-11-20"],
    )
    limit: Count | None = Field(
        None,
        description=(
            f"The most rows in the response, the newest first; more than {ROWS_A_PAGE:,} means "
            f"{ROWS_A_PAGE:,}, as no `limit` does."
        ),
        examples=[7],
    )

    @field_validator("end")
    @classmethod
    def _not_before_start(cls, end: date | None, info: ValidationInfo) -> date | None:
        start = info.data.get("start")
        if start and end and end < start:
            raise PydanticCustomError("order", "It is before the start")
        return end


class PageQuery(RangeQuery):
    """Which days of which locations, page by page."""

    location: list[LocationId] | None = Field(
        None,
        max_length=LOCATIONS_A_REQUEST,
        description=(
            "Id of a location, as often as wanted; `all` for every location that has data; left "
            "out, the first of locations.yaml."
        ),
        examples=[["lyon"]],
    )
    cursor: str | None = Field(
        None,
        pattern=cursors.PATTERN,
        description=(
            "Where the next page begins: the header `X-Next-Cursor` of the page before. Its header "
            '`Link` with `rel="next"` has the whole address.'
        ),
    )


class LatestQuery(OneLocationQuery):
    """The parameters of `/weather/latest`."""

    fields: str | None = _fields(DailyWeather)


class SummaryQuery(PageQuery):
    """The parameters of `/weather/summary`."""

    fields: str | None = _fields(DailyWeather)


class MonthlyQuery(PageQuery):
    """The parameters of `/weather/monthly`."""

    fields: str | None = _fields(MonthlyWeather)


class YearlyQuery(PageQuery):
    """The parameters of `/weather/yearly`."""

    fields: str | None = _fields(YearlyWeather)


class LocationsQuery(Query):
    """The parameters of `/locations`."""

    fields: str | None = _fields(KnownLocation)


class HourlyQuery(RangeQuery, OneLocationQuery):
    """The parameters of `/weather/hourly`."""

    fields: str | None = _fields(HourlyWeather)

    @field_validator("end")
    @classmethod
    def _not_far_from_start(cls, end: date | None, info: ValidationInfo) -> date | None:
        start = info.data.get("start")
        if start and end and (end - start).days >= DAYS_OF_HOURS:
            raise PydanticCustomError("range", "It is too far from the start")
        return end


EXPECTED = {
    "location": f"an id as /locations lists them, at most {LOCATIONS_A_REQUEST} times",
    "start": "a date in the form 2026-11-20",
    "end": (
        "a date in the form 2026-11-20, not before start (and for hours at most "
        f"{DAYS_OF_HOURS} days in all)"
    ),
    "limit": "a whole number of at least 1",
    "cursor": "the header X-Next-Cursor of the page before",
    "fields": "names of columns, separated by commas, as the rows without it have them",
    "format": "json, csv, parquet or arrow",
}
"""What each parameter should have been, for those who sent something else."""
