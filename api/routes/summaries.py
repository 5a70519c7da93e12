"""The weather by day, month and year."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.data.cursors import place_of
from api.data.mart import Mart
from api.data.rows import DailyWeather, MonthlyWeather, YearlyWeather
from api.data.series import Series
from api.formats.answers import rows_answer
from api.routes.description import one_row, rows
from api.routes.lookup import CurrentView, known_location, known_locations, mart_with
from api.routes.parameters import each_once
from api.routes.queries import (
    ROWS_A_PAGE,
    LatestQuery,
    MonthlyQuery,
    PageQuery,
    SummaryQuery,
    YearlyQuery,
)

EPOCH = date(1970, 1, 1)

MANY_LOCATIONS = [each_once("location")]

router = APIRouter(prefix="/weather", tags=["weather"])


@router.get("/summary", responses=rows(DailyWeather), dependencies=MANY_LOCATIONS)
def summary(query: Annotated[SummaryQuery, Query()], request: Request) -> Response:
    """The days of a location, the newest first; that one may still be incomplete.

    Days of several locations stand by date, the newest first, then by the location's id.
    """
    return _page(request, query, lambda mart: mart.days, day_number)


@router.get("/latest", responses=one_row(DailyWeather), dependencies=[each_once()])
def latest(query: Annotated[LatestQuery, Query()], view: CurrentView, request: Request) -> Response:
    """The newest day of one location, which may still be incomplete."""
    location = known_location(query.location, view)
    page = mart_with([location], view).days.page([location], limit=1)
    return rows_answer(request, query, page.rows, as_object=True)


@router.get("/monthly", responses=rows(MonthlyWeather), dependencies=MANY_LOCATIONS)
def monthly(query: Annotated[MonthlyQuery, Query()], request: Request) -> Response:
    """The calendar months of a location, the newest first, reckoned from its days.

    A month of which any day is between `start` and `end` is there, with all its days.
    """
    return _page(
        request, query, lambda mart: mart.months, lambda day: day_number(day.replace(day=1))
    )


@router.get("/yearly", responses=rows(YearlyWeather), dependencies=MANY_LOCATIONS)
def yearly(query: Annotated[YearlyQuery, Query()], request: Request) -> Response:
    """The calendar years of a location, the newest first, reckoned from its days.

    A year of which any day is between `start` and `end` is there, with all its days.
    """
    return _page(request, query, lambda mart: mart.years, lambda day: day.year)


def day_of(number: int) -> date:
    """The day that Arrow counts so."""
    return EPOCH + timedelta(days=number)


def day_number(day: date) -> int:
    """The day as Arrow counts it."""
    return (day - EPOCH).days


def _page(
    request: Request,
    query: PageQuery,
    series_of: Callable[[Mart], Series],
    period: Callable[[date], int],
) -> Response:
    """A page of the series in a mart, whose rows are numbered by their `period`."""
    view = request.scope["view"]
    locations = known_locations(query.location, view)
    page = series_of(mart_with(locations, view)).page(
        locations,
        first=period(query.start) if query.start else None,
        last=period(query.end) if query.end else None,
        after=place_of(query.cursor) if query.cursor else None,
        limit=min(query.limit or ROWS_A_PAGE, ROWS_A_PAGE),
    )
    return rows_answer(request, query, page.rows, next_place=page.last)
