"""The weather by hour."""

import logging
from datetime import date, datetime, timedelta, tzinfo
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response

from api.data.mart import Mart
from api.data.older_hours import OlderHours
from api.data.rows import HourlyWeather
from api.data.series import Series
from api.formats.answers import rows_answer
from api.routes.description import rows
from api.routes.lookup import RETRY_AFTER, CurrentView, known_location, mart_with
from api.routes.parameters import each_once
from api.routes.queries import DAYS_OF_HOURS, ROWS_A_PAGE, HourlyQuery
from api.routes.summaries import day_of
from weather.errors import StepError
from weather.timezones import first_hour_of, local_date

DAYS_UNASKED = 7
"""The days that are given where no start is named."""

DAY = timedelta(days=1)

log = logging.getLogger("api.hourly")

router = APIRouter(prefix="/weather", tags=["weather"])


@router.get("/hourly", responses=rows(HourlyWeather), dependencies=[each_once()])
def hourly(query: Annotated[HourlyQuery, Query()], view: CurrentView, request: Request) -> Response:
    """The hours of one location, the newest first.

    Without `start`, the seven days up to the newest one, or to `end`. One answer has at most 366
    days: ask for more in parts. The last 15 days come from memory. Older hours are read from the
    lake when they are first asked for, and are answered with 503 while it cannot be read.
    """
    location = known_location(query.location, view)
    mart = mart_with([location], view)
    zone = view.zone(location)
    span = days_meant(query.start, query.end, *_days_there(mart, location, zone))
    if span is None:
        return rows_answer(request, query, mart.hours.rows.slice(0, 0))
    since, until = first_hour_of(span[0], zone), first_hour_of(span[1] + DAY, zone)
    hours = mart.hours
    if since < mart.hours_since:
        hours = _older_hours(request.app.state.older_hours, mart, location, since, until)
    page = hours.page(
        [location],
        first=round(since.timestamp()),
        last=round(until.timestamp()) - 1,
        limit=min(query.limit or ROWS_A_PAGE, ROWS_A_PAGE),
    )
    answer = rows_answer(request, query, page.rows)
    # Browsers have tables of time zones that are older than the one that days are cut by.
    answer.headers["X-Weather-Newest-Hour"] = (
        mart.newest_hours[location].astimezone(zone).isoformat()
    )
    return answer


def days_meant(
    start: date | None, end: date | None, oldest: date, newest: date
) -> tuple[date, date] | None:
    """The first and the last day that a request means, at most 366; None where nothing can be.

    Args:
        start: the first day as named, if it is.
        end: the last day as named, if it is.
        oldest: the first day of which there is anything.
        newest: the last such day; the rain of its last hour is stamped on the day after.
    """
    last = end or newest
    if last < oldest or (start and start > newest + DAY):
        return None
    last = min(last, newest + DAY)
    first = max(start or last - (DAYS_UNASKED - 1) * DAY, oldest)
    if end is None:
        last = min(last, first + (DAYS_OF_HOURS - 1) * DAY)
    return first, last


def _days_there(mart: Mart, location: str, zone: tzinfo) -> tuple[date, date]:
    """The oldest and the newest local day of which the location has anything."""
    days = mart.days.extent(location)
    newest_hour = local_date(mart.newest_hours[location], zone)
    return day_of(days.oldest), max(day_of(days.newest), newest_hour)


def _older_hours(
    older_hours: OlderHours, mart: Mart, location: str, since: datetime, until: datetime
) -> Series:
    try:
        return older_hours.read(mart.published, location, since, until)
    except StepError as error:
        log.warning("%s", error)
        raise HTTPException(
            503,
            "Hours that old cannot be read from the lake at the moment: ask again in a few "
            "seconds, or for newer ones.",
            RETRY_AFTER,
        ) from None
