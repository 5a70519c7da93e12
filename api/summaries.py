"""The daily weather: `/weather/summary` and `/weather/latest`."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request

from api.attribution import attribute
from api.mart import Mart
from api.queries import LatestQuery, SummaryQuery
from api.rows import DailyWeather
from api.watch import SECONDS_BETWEEN_CHECKS, Problem, View
from weather.locations import Location

IDS_NAMED = 10
"""How many locations an answer to an unknown one names."""


def current_view(request: Request) -> View:
    """What the API knows when the request comes; the same view until the request ends."""
    view: View = request.app.state.watch.view
    return view


CurrentView = Annotated[View, Depends(current_view)]

ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"description": "The location is unknown, or has no data yet."},
    503: {"description": "The data cannot be read yet: try again soon."},
}

router = APIRouter(
    prefix="/weather", tags=["weather"], dependencies=[Depends(attribute)], responses=ERRORS
)


@router.get("/summary")
async def summary(query: Annotated[SummaryQuery, Query()], view: CurrentView) -> list[DailyWeather]:
    """The days of one location, the newest first; that one may still be incomplete."""
    location = _known(query.location, view)
    mart = _mart_with(location, view)
    return list(mart.between(location, query.start, query.end)[: query.limit])


@router.get("/latest")
async def latest(query: Annotated[LatestQuery, Query()], view: CurrentView) -> DailyWeather:
    """The newest day of one location, which may still be incomplete."""
    location = _known(query.location, view)
    return _mart_with(location, view).days[location][0]


def _known(location: str | None, view: View) -> str:
    """The id that is meant.

    Raises:
        HTTPException: 404, there is no such location.
    """
    if location is None:
        return view.locations[0].id
    if not view.knows(location):
        raise HTTPException(
            404,
            f"There is no location '{location}'. Ask for {_named(view.locations)}; "
            "another one comes in by an entry in locations.yaml.",
        )
    return location


def _named(locations: Sequence[Location]) -> str:
    ids = [location.id for location in locations[:IDS_NAMED]]
    others = len(locations) - len(ids)
    return " or ".join(ids) + (f", or one of {others} others" if others else "")


def _mart_with(location: str, view: View) -> Mart:
    """The mart, which has at least one day of the location.

    Raises:
        HTTPException: 404, nothing is there yet; 503, nobody can say.
    """
    if view.mart is None and view.problem is not Problem.NOTHING_PUBLISHED:
        raise HTTPException(
            503,
            f"{view.problem} Try again in a few seconds.",
            {"Retry-After": f"{SECONDS_BETWEEN_CHECKS:.0f}"},
        )
    if view.mart is None or location not in view.mart.days:
        raise HTTPException(
            404,
            f"There is no data for '{location}' yet. Run weather_pipeline in Airflow; "
            "its days are here a few seconds after it has published them.",
        )
    return view.mart
