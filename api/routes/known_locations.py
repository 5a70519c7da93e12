"""The locations, and what there is of each."""

from typing import Annotated

import pyarrow as pa
from fastapi import APIRouter, Query, Request, Response

from api.data.columns import arrow_schema
from api.data.rows import KnownLocation
from api.data.view import View
from api.formats.answers import rows_answer
from api.routes.description import rows
from api.routes.lookup import CurrentView
from api.routes.parameters import each_once
from api.routes.queries import LocationsQuery
from api.routes.summaries import day_of

router = APIRouter(tags=["weather"])


@router.get("/locations", responses=rows(KnownLocation, errors=[422]), dependencies=[each_once()])
def locations(
    query: Annotated[LocationsQuery, Query()], view: CurrentView, request: Request
) -> Response:
    """The locations of locations.yaml in its order, of which the first is the default one."""
    known = [row.model_dump() for row in known_locations_of(view)]
    return rows_answer(
        request, query, pa.RecordBatch.from_pylist(known, arrow_schema(KnownLocation))
    )


def known_locations_of(view: View) -> list[KnownLocation]:
    """What is known of each location."""
    days = view.mart.days if view.mart else None
    newest_hours = view.mart.newest_hours if view.mart else {}
    found = []
    for location in view.locations:
        extent = days.extent(location.id) if days and location.id in days else None
        found.append(
            KnownLocation(
                **location.model_dump(),
                is_default=location is view.locations[0],
                first_date=day_of(extent.oldest) if extent else None,
                last_date=day_of(extent.newest) if extent else None,
                days=extent.rows if extent else None,
                newest_hour=newest_hours.get(location.id),
            )
        )
    return found
