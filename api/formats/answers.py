"""Rows as an answer: in the columns and the form that the client asked for."""

from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
from fastapi import Request, Response

from api.data.cursors import cursor_of
from api.data.series import Place
from api.data.view import View
from api.formats.formats import MEDIA_TYPES, Format, rendered, rendered_object
from api.routes.queries import Query

SECONDS_TO_KEEP = 60
"""How long a client may use an answer without asking: the data change once an hour."""

FORMATS = {media_type: format_ for format_, media_type in MEDIA_TYPES.items()}


def rows_answer(
    request: Request,
    query: Query,
    rows: pa.RecordBatch,
    *,
    next_place: Place | None = None,
    as_object: bool = False,
) -> Response:
    """The answer with those rows.

    Args:
        request: what was asked.
        query: its parameters.
        rows: all columns of them.
        next_place: where this page ends, if there is a next one.
        as_object: there is one row, which JSON has as an object and not as an array.
    """
    if query.fields:
        rows = rows.select(list(dict.fromkeys(query.fields.split(","))))
    format_ = query.format or FORMATS.get(request.scope["media_type"], Format.JSON)
    is_object = as_object and format_ is Format.JSON
    body = rendered_object(rows) if is_object else rendered(rows, format_)
    return Response(
        body, headers=_headers(request, format_, next_place), media_type=MEDIA_TYPES[format_]
    )


def _headers(request: Request, format_: Format, next_place: Place | None) -> dict[str, str]:
    view: View = request.scope["view"]
    source = view.source
    links = [f'<{source.licence_url}>; rel="license"']
    if next_place:
        links.insert(0, f'<{_next_page(request, next_place)}>; rel="next"')
    headers = {
        "Cache-Control": f"public, max-age={SECONDS_TO_KEEP}",
        "Attribution": source.attribution,
        "X-Weather-Source": source.name,
        "Link": ", ".join(links),
    }
    if next_place:
        headers["X-Next-Cursor"] = cursor_of(next_place)
    if view.mart:
        headers["Last-Modified"] = format_datetime(view.mart.published.published_at, usegmt=True)
    if format_ is not Format.JSON:
        name = request.url.path.rpartition("/")[2]
        locations = request.query_params.getlist("location")
        if len(locations) == 1:
            name += f"-{locations[0]}"
        headers["Content-Disposition"] = f'attachment; filename="{name}.{format_}"'
    return headers


def _next_page(request: Request, place: Place) -> str:
    """Return the next page's address, relative to this one.

    The API does not know the path prefix that a proxy strips. Beginning with `../`, the reference
    is right under any prefix, and also for clients that join it with the API's root.
    """
    path = request.url.path
    root = "../" * (path.count("/") - 1)
    others: list[tuple[str, Any]] = [
        (name, value) for name, value in request.query_params.multi_items() if name != "cursor"
    ]
    return f"{root}{path[1:]}?{urlencode([*others, ('cursor', cursor_of(place))])}"
