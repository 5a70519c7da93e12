"""The OpenAPI document: FastAPI's, completed by headers, errors, formats and examples."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api.data.models import (
    DailyWeather,
    HourlyWeather,
    KnownLocation,
    MonthlyWeather,
    Row,
    YearlyWeather,
    arrow_schema,
)
from api.formats.negotiation import MEDIA_TYPES, Format
from api.formats.rows import render
from api.http import problems
from api.http.problems import Problem, WrongParameter
from weather.source import Source

Responses = dict[int | str, dict[str, Any]]

ROWS = (DailyWeather, MonthlyWeather, YearlyWeather, HourlyWeather, KnownLocation)

REFERENCE = "#/components/schemas/{model}"

ERRORS = {
    404: "The location is unknown or has no data yet.",
    422: "A parameter is invalid.",
    503: "The data cannot be read at the moment. Try again after `Retry-After` seconds.",
}

ETAG_HEADERS = {
    "ETag": "Version of the response: send it as `If-None-Match` to get 304 until it changes."
}

UNCHANGED_HEADERS = {
    **ETAG_HEADERS,
    "Last-Modified": "Publication time of the snapshot.",
    "X-Weather-Stale": (
        "Present while the published snapshot cannot be loaded, with the reason: `store`, "
        "`lake`, `unpublished` or `defect`. The response is from the last loaded snapshot."
    ),
}

HEADERS = {
    **UNCHANGED_HEADERS,
    "Link": 'The licence and, with `rel="next"`, the next page if there is one.',
    "X-Next-Cursor": "Value of the parameter `cursor` for the next page, if there is one.",
    "Attribution": "Attribution of the data, which names a replay of older observations.",
    "X-Weather-Source": "Name of the source: `Open-Meteo`, or `replay of ...`.",
    "X-Weather-Newest-Hour": (
        "The location's newest hour with a value, in local time. Only in `/weather/hourly`."
    ),
    "Content-Disposition": "A file name, for all formats but JSON.",
}

RANGE_HEADERS = {
    "Accept-Ranges": "`bytes`: the header `Range` is supported. Absent for compressed bodies."
}

PART_HEADERS = {
    **RANGE_HEADERS,
    "Content-Range": "Position of this part, and the length of the whole body.",
}

RETRY_HEADERS = {"Retry-After": "Seconds until the next try."}

ID_HEADERS = {
    "X-Request-ID": "Id of the request in the logs: the request's own header, or a generated id."
}

PART = "The bytes that the header `Range` names."

UNMATCHED = {
    412: "`If-Match` or `If-Unmodified-Since` names another response.",
    416: "The header `Range` starts beyond the end of the response.",
}

REJECTED = {
    "4XX": (
        "Another invalid request: a method other than GET and HEAD (405), a malformed head (400) "
        "or a head that is too long (431)."
    )
}

TAGS = [
    {"name": "weather", "description": "Rows of the published snapshot, and its locations."},
    {"name": "operations", "description": "Health, readiness and metrics of this process."},
]

NEXT_PAGE = "The next page: the same request with this cursor."

UNCHANGED = "The client's copy is current."


def rows(model: type[Row], errors: Iterable[int] = tuple(ERRORS)) -> Responses:
    """Document the responses of a route that returns an array of rows."""
    schema = {"type": "array", "items": _reference(model)}
    return _responses(model, schema, [_example(model)], errors)


def one_row(model: type[Row]) -> Responses:
    """Document the responses of a route that returns one row."""
    return _responses(model, _reference(model), _example(model), ERRORS)


def page(media_type: str) -> Responses:
    """Document the responses of a route that returns JSON or a page of this media type."""
    headers = _headers(ETAG_HEADERS)
    content: dict[str, Any] = {"content": {media_type: {}}}
    return {
        200: {**content, "headers": headers | _headers(RANGE_HEADERS)},
        **_parts(ETAG_HEADERS, {"application/json": {}, media_type: {}}),
        304: {"description": UNCHANGED, "headers": headers},
    }


def set_openapi(app: FastAPI) -> None:
    """Replace the application's OpenAPI document by this one."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def with_source(document: dict[str, Any], source: Source) -> dict[str, Any]:
    """Add the attribution and the licence of the served data."""
    info = {
        **document["info"],
        "description": f"{document['info']['description'].rstrip()}\n\n{source.attribution}\n",
        "license": {"name": f"Data: {source.licence}", "url": source.licence_url},
    }
    return {**document, "info": info}


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        license_info=app.license_info,
        # Relative to the document's address, because proxies may add a path prefix.
        servers=[{"url": ".", "description": "The server of this document."}],
        tags=TAGS,
        routes=app.routes,
    )
    # No operation requires authentication.
    document["security"] = []
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (*ROWS, Problem, WrongParameter):
        schemas[model.__name__] = _schema(model)
    for operations in document["paths"].values():
        operation = operations["get"]
        responses = operation["responses"]
        responses.update(_problems(REJECTED))
        for parameter in operation.get("parameters", []):
            parameter["schema"] = _without_null(parameter["schema"])
            if parameter["name"] == "cursor":
                responses["200"]["links"] = {"next": _next_page(operation["operationId"])}
        for response in responses.values():
            response.setdefault("headers", {}).update(_headers(ID_HEADERS))
    return document


def _responses(
    model: type[Row], schema: dict[str, Any], example: Any, errors: Iterable[int]
) -> Responses:
    content: dict[str, Any] = {
        media_type: {"schema": {"type": "string", "contentMediaType": media_type}}
        for media_type in MEDIA_TYPES.values()
    }
    content[MEDIA_TYPES[Format.JSON]] = {"schema": schema, "example": example}
    content[MEDIA_TYPES[Format.CSV]]["example"] = _csv_example(model)
    problem = {problems.MEDIA_TYPE: {"schema": _reference(Problem)}}
    parts = {media_type: {"schema": {"type": "string"}} for media_type in MEDIA_TYPES.values()}
    headers = _headers(HEADERS | RANGE_HEADERS)
    return {
        200: {"description": model.__doc__, "headers": headers, "content": content},
        **_parts(HEADERS, parts),
        304: {"description": UNCHANGED, "headers": _headers(UNCHANGED_HEADERS)},
        **{
            status: {
                "description": ERRORS[status],
                "headers": _headers(RETRY_HEADERS if status == 503 else {}),
                "content": problem,
            }
            for status in errors
        },
    }


def _parts(headers: Mapping[str, str], content: dict[str, Any]) -> Responses:
    """Document the responses to range requests and to failed conditions."""
    error_headers = {name: each for name, each in headers.items() if name in UNCHANGED_HEADERS}
    return {
        206: {
            "description": PART,
            "headers": _headers({**headers, **PART_HEADERS}),
            "content": content,
        },
        **{
            status: {
                "description": description,
                "headers": _headers({**error_headers, **PART_HEADERS}),
                "content": {problems.MEDIA_TYPE: {"schema": _reference(Problem)}},
            }
            for status, description in UNMATCHED.items()
        },
    }


def _problems(meanings: Mapping[str, str]) -> dict[str, Any]:
    content = {problems.MEDIA_TYPE: {"schema": _reference(Problem)}}
    return {
        status: {"description": meaning, "content": content} for status, meaning in meanings.items()
    }


def _next_page(operation: str) -> dict[str, Any]:
    return {
        "operationId": operation,
        "parameters": {"cursor": "$response.header.X-Next-Cursor"},
        "description": NEXT_PAGE,
    }


def _headers(meanings: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: {"description": meaning, "schema": {"type": "string"}}
        for name, meaning in meanings.items()
    }


def _reference(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": REFERENCE.format(model=model.__name__)}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=REFERENCE, mode="serialization")
    schema.pop("$defs", None)
    if issubclass(model, Row):
        # The parameter `fields` may leave out any field.
        schema.pop("required")
    return schema


def _example(model: type[Row]) -> dict[str, Any]:
    """Build a row from the fields' examples."""
    properties = model.model_json_schema()["properties"]
    return {name: _first_example(field) for name, field in properties.items()}


def _first_example(field: dict[str, Any]) -> Any:
    for part in (field, *field.get("anyOf", ())):
        if "examples" in part:
            return part["examples"][0]
    assert field["type"] == "boolean"
    return True


def _csv_example(model: type[Row]) -> str:
    row = model.model_validate(_example(model)).model_dump()
    return render(pa.RecordBatch.from_pylist([row], arrow_schema(model)), Format.CSV).decode()


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Remove null from a parameter's types: a query string has no null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    others = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**kinds[0], **others}
