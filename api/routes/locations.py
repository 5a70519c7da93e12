"""The route /locations: the locations, and the extent of their data."""

from typing import Annotated

import pyarrow as pa
from fastapi import APIRouter, Query, Request, Response

from api.data.row_models import KnownLocation, arrow_schema
from api.data.series import date_of
from api.data.served import ServedData
from api.formats.rows import rows_response
from api.routes.openapi import rows
from api.routes.parameters import LocationsQuery, Served, reject_repeated

router = APIRouter(tags=["weather"])


@router.get(
    "/locations", responses=rows(KnownLocation, errors=[422]), dependencies=[reject_repeated()]
)
def locations(
    query: Annotated[LocationsQuery, Query()], served: Served, request: Request
) -> Response:
    """Locations in the order of locations.yaml. The first one is the default."""
    known = [row.model_dump() for row in _known_locations(served)]
    return rows_response(
        request,
        pa.RecordBatch.from_pylist(known, arrow_schema(KnownLocation)),
        locations=None,
        format_=query.format,
        fields=query.fields,
    )


def _known_locations(served: ServedData) -> list[KnownLocation]:
    days = served.snapshot.days if served.snapshot else None
    newest_hours = served.snapshot.newest_hours if served.snapshot else {}
    known = []
    for location in served.locations:
        extent = days.extent(location.id) if days and location.id in days else None
        known.append(
            KnownLocation(
                **location.model_dump(exclude={"source"}),
                is_default=location is served.locations[0],
                first_date=date_of(extent.oldest) if extent else None,
                last_date=date_of(extent.newest) if extent else None,
                days=extent.rows if extent else None,
                newest_hour=newest_hours.get(location.id),
            )
        )
    return known
