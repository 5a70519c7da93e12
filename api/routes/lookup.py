"""Which location a client means, and whether there is anything to say about it."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from api.data.mart import Mart
from api.data.view import Problem, View
from api.data.watch import SECONDS_BETWEEN_CHECKS
from weather.locations import ALL_LOCATIONS, Location

IDS_NAMED = 10
"""How many locations an answer to an unknown one names."""

RETRY_AFTER = {"Retry-After": f"{SECONDS_BETWEEN_CHECKS:.0f}"}


async def _current_view(request: Request) -> View:
    view: View = request.scope["view"]
    return view


CurrentView = Annotated[View, Depends(_current_view)]
"""What the API knows when the request comes; the same view until the request ends."""


def known_location(location: str | None, view: View) -> str:
    """The id that is meant, which is the default location's where none is named.

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


def known_locations(locations: Sequence[str] | None, view: View) -> Sequence[str] | None:
    """The ids that are meant; None for all that have data.

    Raises:
        HTTPException: 404, there is no such location.
    """
    if locations and ALL_LOCATIONS in locations:
        return None
    if not locations:
        return [known_location(None, view)]
    return [known_location(each, view) for each in locations]


def mart_with(locations: Sequence[str] | None, view: View) -> Mart:
    """The mart, which has at least one day of at least one of the locations.

    Raises:
        HTTPException: 404, nothing is there yet; 503, nobody can say.
    """
    if view.mart is None and view.problem is not Problem.NOTHING_PUBLISHED:
        raise HTTPException(503, f"{view.problem} Try again in a few seconds.", RETRY_AFTER)
    mart = view.mart
    if mart is None or not mart.days.has_any(locations):
        named = f"for '{locations[0]}' " if locations else ""
        raise HTTPException(
            404,
            f"There is no data {named}yet. Run weather_pipeline in Airflow; "
            "its days are here a few seconds after it has published them.",
        )
    return mart


def _named(locations: Sequence[Location]) -> str:
    ids = [location.id for location in locations[:IDS_NAMED]]
    others = len(locations) - len(ids)
    return " or ".join(ids) + (f", or one of {others} others" if others else "")
