"""The routes below /weather: by day, month, year and hour."""

import logging
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response

from api.data.older_hours import OlderHours
from api.data.row_models import DailyWeather, HourlyWeather, MonthlyWeather, YearlyWeather
from api.data.series import Position, Series, date_of, day_number
from api.data.served import LoadProblem, ServedData
from api.data.snapshot import Snapshot
from api.data.watcher import CHECK_INTERVAL_SECONDS
from api.formats.rows import rows_response
from api.routes.openapi import one_row, rows
from api.routes.parameters import (
    MAX_HOURLY_DAYS,
    MAX_ROWS,
    HourlyQuery,
    LatestQuery,
    MonthlyQuery,
    PageQuery,
    Served,
    SummaryQuery,
    YearlyQuery,
    reject_repeated,
)
from weather.errors import StepError
from weather.locations import ALL_LOCATIONS, Location
from weather.timezones import first_hour_of, local_date

MAX_NAMED_LOCATIONS = 10
"""Limit of the location ids in the error message about an unknown location."""

RETRY_AFTER = {"Retry-After": f"{CHECK_INTERVAL_SECONDS:.0f}"}

DEFAULT_HOURLY_DAYS = 7

DAY = timedelta(days=1)

SEVERAL_LOCATIONS = [reject_repeated("location")]

log = logging.getLogger("api.routes")

router = APIRouter(prefix="/weather", tags=["weather"])


@router.get("/summary", responses=rows(DailyWeather), dependencies=SEVERAL_LOCATIONS)
def summary(query: Annotated[SummaryQuery, Query()], request: Request) -> Response:
    """Days of one or several locations, newest first. The newest day may be incomplete.

    Rows of several locations are ordered by date, newest first, then by location.
    """
    return _page(request, query, lambda snapshot: snapshot.days, day_number)


@router.get("/latest", responses=one_row(DailyWeather), dependencies=[reject_repeated()])
def latest(query: Annotated[LatestQuery, Query()], served: Served, request: Request) -> Response:
    """Newest day of one location, which may be incomplete."""
    location = _known_location(query.location, served)
    page = _snapshot_with([location], served).days.page([location], limit=1)
    return rows_response(
        request,
        page.rows,
        locations=[location],
        format_=query.format,
        fields=query.fields,
        as_object=True,
    )


@router.get("/monthly", responses=rows(MonthlyWeather), dependencies=SEVERAL_LOCATIONS)
def monthly(query: Annotated[MonthlyQuery, Query()], request: Request) -> Response:
    """Calendar months of one or several locations, newest first, computed from the days.

    A month with any day between `start` and `end` is included with all its days.
    """
    return _page(
        request,
        query,
        lambda snapshot: snapshot.months,
        lambda day: day_number(day.replace(day=1)),
    )


@router.get("/yearly", responses=rows(YearlyWeather), dependencies=SEVERAL_LOCATIONS)
def yearly(query: Annotated[YearlyQuery, Query()], request: Request) -> Response:
    """Calendar years of one or several locations, newest first, computed from the days.

    A year with any day between `start` and `end` is included with all its days.
    """
    return _page(request, query, lambda snapshot: snapshot.years, lambda day: day.year)


@router.get("/hourly", responses=rows(HourlyWeather), dependencies=[reject_repeated()])
def hourly(query: Annotated[HourlyQuery, Query()], served: Served, request: Request) -> Response:
    """Hours of one location, newest first.

    Without `start`, the seven days up to `end` or to the newest day. A response has at most 366
    days: request longer ranges in parts. The last 15 days are in memory. Older hours are read from
    the lake, and the response is 503 while the lake cannot be read.
    """
    location = _known_location(query.location, served)
    snapshot = _snapshot_with([location], served)
    zone = served.zone(location)
    days = hourly_range(query.start, query.end, *_extent(snapshot, location, zone))
    if days is None:
        page_rows = snapshot.hours.rows.slice(0, 0)
        return rows_response(
            request, page_rows, locations=[location], format_=query.format, fields=query.fields
        )
    since, until = first_hour_of(days[0], zone), first_hour_of(days[1] + DAY, zone)
    hours = snapshot.hours
    if since < snapshot.hours_since:
        hours = _older_hours(request.app.state.older_hours, snapshot, location, since, until)
    page = hours.page(
        [location],
        first=round(since.timestamp()),
        last=round(until.timestamp()) - 1,
        limit=min(query.limit or MAX_ROWS, MAX_ROWS),
    )
    response = rows_response(
        request, page.rows, locations=[location], format_=query.format, fields=query.fields
    )
    # In local time, because browsers may have older time zone rules than the pipeline.
    newest_hour = snapshot.newest_hours[location].astimezone(zone)
    response.headers["X-Weather-Newest-Hour"] = newest_hour.isoformat()
    return response


def hourly_range(
    start: date | None, end: date | None, oldest: date, newest: date
) -> tuple[date, date] | None:
    """Return the first and the last day of a request, at most 366 days, or None without any data.

    Args:
        start: the parameter `start`.
        end: the parameter `end`.
        oldest: the first day with data.
        newest: the last day with data; the rain of its last hour is stamped on the next day.
    """
    last = end or newest
    if last < oldest or (start and start > newest + DAY):
        return None
    last = min(last, newest + DAY)
    first = max(start or last - (DEFAULT_HOURLY_DAYS - 1) * DAY, oldest)
    if end is None:
        last = min(last, first + (MAX_HOURLY_DAYS - 1) * DAY)
    return first, last


def _page(
    request: Request,
    query: PageQuery,
    series_of: Callable[[Snapshot], Series],
    period_of: Callable[[date], int],
) -> Response:
    """Return a page of a series. `period_of` maps a date to the series' periods."""
    served = request.scope["served"]
    locations = _known_locations(query.location, served)
    page = series_of(_snapshot_with(locations, served)).page(
        locations,
        first=period_of(query.start) if query.start else None,
        last=period_of(query.end) if query.end else None,
        after=Position.from_cursor(query.cursor) if query.cursor else None,
        limit=min(query.limit or MAX_ROWS, MAX_ROWS),
    )
    return rows_response(
        request,
        page.rows,
        locations=locations,
        format_=query.format,
        fields=query.fields,
        next_page=page.last,
    )


def _known_location(location: str | None, served: ServedData) -> str:
    """Return the requested or the default location id. Raise 404 for an unknown location."""
    if location is None:
        return served.locations[0].id
    if not served.knows(location):
        raise HTTPException(
            404,
            f"Unknown location '{location}'. Known locations: {_listed(served.locations)}. "
            "Add a location in locations.yaml.",
        )
    return location


def _known_locations(locations: Sequence[str] | None, served: ServedData) -> Sequence[str] | None:
    """Return the requested location ids, or None for all. Raise 404 for an unknown location."""
    if locations and ALL_LOCATIONS in locations:
        return None
    if not locations:
        return [_known_location(None, served)]
    return [_known_location(each, served) for each in locations]


def _listed(locations: Sequence[Location]) -> str:
    ids = [location.id for location in locations[:MAX_NAMED_LOCATIONS]]
    others = len(locations) - len(ids)
    return ", ".join(ids) + (f" and {others} more, see /locations" if others else "")


def _snapshot_with(locations: Sequence[str] | None, served: ServedData) -> Snapshot:
    """Return the snapshot. Raise 503 if it is not loaded, 404 if no location has data."""
    snapshot = served.snapshot
    if snapshot is None and served.problem is not LoadProblem.NOTHING_PUBLISHED:
        raise HTTPException(503, f"{served.problem} Try again in a few seconds.", RETRY_AFTER)
    if snapshot is None or not snapshot.days.has_any(locations):
        named = f" for '{locations[0]}'" if locations else ""
        raise HTTPException(
            404,
            f"No data{named} yet. Run weather_pipeline in Airflow: the API serves its days a few "
            "seconds after the run.",
        )
    return snapshot


def _extent(snapshot: Snapshot, location: str, zone: tzinfo) -> tuple[date, date]:
    """Return the oldest and the newest local day with data."""
    days = snapshot.days.extent(location)
    newest_hour = local_date(snapshot.newest_hours[location], zone)
    return date_of(days.oldest), max(date_of(days.newest), newest_hour)


def _older_hours(
    older_hours: OlderHours, snapshot: Snapshot, location: str, since: datetime, until: datetime
) -> Series:
    try:
        return older_hours.read(snapshot.published, location, since, until)
    except StepError as error:
        log.warning("%s", error)
        raise HTTPException(
            503,
            "Older hours cannot be read from the lake at the moment. Try again in a few seconds, "
            "or request newer hours.",
            RETRY_AFTER,
        ) from None
