"""Query parameters: models, validation and limits, and the dependency on the data."""

import re
from collections import Counter
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from starlette.types import ASGIApp, Receive, Scope, Send

from api.data.row_models import (
    DailyWeather,
    HourlyWeather,
    KnownLocation,
    MonthlyWeather,
    Row,
    YearlyWeather,
)
from api.data.series import CURSOR_PATTERN
from api.data.served import ServedData
from api.formats.negotiation import MEDIA_TYPES, Format
from api.http.problems import REPEATED, problem_response

MAX_ROWS = 10_000
"""Limit of the rows in a response: 1.9 MB of JSON."""

MAX_LOCATIONS = 100

MAX_PARAMETERS = 2 * MAX_LOCATIONS

MAX_HOURLY_DAYS = 366
"""Limit of the days in an hourly response. The lake returns that many in a second."""


def _matching(pattern: str, value: object) -> object:
    """Reject strings that pydantic would accept in other forms, such as timestamps as dates."""
    if isinstance(value, str) and not re.fullmatch(pattern, value):
        raise PydanticCustomError("form", "Invalid format")
    return value


Day = Annotated[date, BeforeValidator(lambda value: _matching("[0-9]{4}-[0-9]{2}-[0-9]{2}", value))]
Count = Annotated[int, Field(ge=1), BeforeValidator(lambda value: _matching("[0-9]+", value))]
LocationId = Annotated[str, Field(max_length=60)]


def _fields(row: type[Row]) -> Any:
    names = "|".join(row.model_fields)
    return Field(
        None,
        pattern=f"^({names})(,({names}))*$",
        max_length=500,
        description="Names of columns, separated by commas. Default: all columns.",
        examples=[",".join(list(row.model_fields)[:3])],
    )


class Query(BaseModel):
    """The parameters of every route of rows. Unknown parameters are an error."""

    model_config = ConfigDict(extra="forbid")

    format: Format | None = Field(
        None,
        description=(
            "Format of the response. Default: negotiated by `Accept` among "
            f"{', '.join(MEDIA_TYPES.values())}."
        ),
        examples=["csv"],
    )
    fields: str | None = None


class OneLocationQuery(Query):
    """The parameter `location` of routes for one location."""

    location: LocationId | None = Field(
        None,
        description="Id of the location. Default: the first in locations.yaml.",
        examples=["lyon"],
    )


class RangeQuery(Query):
    """The parameters for a range of days."""

    start: Day | None = Field(
        None,
        description="First day, in the location's time zone.",
        examples=["2026-11-01"],
    )
    end: Day | None = Field(
        None,
        description="Last day, in the location's time zone.",
        examples=["2026-11-20"],
    )
    limit: Count | None = Field(
        None,
        description=(
            f"Limit of the rows in the response, newest first. Default: {MAX_ROWS:,}. A larger "
            f"limit means {MAX_ROWS:,}."
        ),
        examples=[7],
    )

    @field_validator("end")
    @classmethod
    def _not_before_start(cls, end: date | None, info: ValidationInfo) -> date | None:
        start = info.data.get("start")
        if start and end and end < start:
            raise PydanticCustomError("order", "The end is before the start")
        return end


class PageQuery(RangeQuery):
    """The parameters of routes with pages of several locations."""

    location: list[LocationId] | None = Field(
        None,
        max_length=MAX_LOCATIONS,
        description=(
            "Id of a location, may be repeated; `all` for every location with data. Default: the "
            "first location in locations.yaml."
        ),
        examples=[["lyon"]],
    )
    cursor: str | None = Field(
        None,
        pattern=CURSOR_PATTERN,
        description=(
            "Header `X-Next-Cursor` of the previous page. Its header `Link` with "
            '`rel="next"` has the whole URL.'
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
    def _within_max_days(cls, end: date | None, info: ValidationInfo) -> date | None:
        start = info.data.get("start")
        if start and end and (end - start).days >= MAX_HOURLY_DAYS:
            raise PydanticCustomError("range", "The range is too long")
        return end


EXPECTED = {
    "location": f"an id that /locations lists, at most {MAX_LOCATIONS} times",
    "start": "a date such as 2026-11-20",
    "end": (
        "a date such as 2026-11-20, not before start (/weather/hourly: a range of at most "
        f"{MAX_HOURLY_DAYS} days)"
    ),
    "limit": "a whole number of at least 1",
    "cursor": "the header X-Next-Cursor of the previous page",
    "fields": "names of columns, separated by commas",
    "format": "json, csv, parquet or arrow",
}
"""Valid values of each parameter, for error messages."""


async def _served_data(request: Request) -> ServedData:
    served: ServedData = request.scope["served"]
    return served


Served = Annotated[ServedData, Depends(_served_data)]
"""Dependency on the loaded data. A request uses the same data until its end."""


def reject_repeated(*but: str) -> Any:
    """Return a dependency that rejects repeated parameters, except the named parameters.

    FastAPI would use the last value and ignore the others.
    """

    async def check(request: Request) -> None:
        times = Counter(name for name, _ in request.query_params.multi_items())
        repeated = [
            {
                "type": REPEATED,
                "loc": ("query", name),
                "msg": f"The parameter occurs {number} times",
                "input": request.query_params[name],
            }
            for name, number in times.items()
            if number > 1 and name in EXPECTED and name not in but
        ]
        if repeated:
            raise RequestValidationError(repeated)

    return Depends(check)


class ParameterLimitMiddleware:
    """Reject requests with many parameters, because FastAPI's time is quadratic in their number."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, or return 422."""
        if scope["type"] == "http" and scope["query_string"].count(b"&") >= MAX_PARAMETERS:
            response = problem_response(422, f"Too many parameters: send at most {MAX_PARAMETERS}.")
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)
