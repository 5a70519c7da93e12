"""The OpenAPI document: FastAPI's, completed by headers, errors, formats and examples."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api.data.row_models import (
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
from api.http.headers import (
    ETAG_HEADERS,
    ID_HEADERS,
    PART_HEADERS,
    RANGE_HEADERS,
    RETRY_HEADERS,
    ROW_HEADERS,
    UNCHANGED_HEADERS,
)
from api.http.problems import Problem, WrongParameter
from weather.source import Source, attribution_of

Responses = dict[int | str, dict[str, Any]]

ROWS = (DailyWeather, MonthlyWeather, YearlyWeather, HourlyWeather, KnownLocation)

REFERENCE = "#/components/schemas/{model}"

ERRORS = {
    404: "The location is unknown or has no data yet.",
    422: "A parameter is invalid.",
    503: "The data cannot be read at the moment. Try again after `Retry-After` seconds.",
}

PART = "The bytes that the header `Range` names."

UNMATCHED = {
    "412": "`If-Match` or `If-Unmodified-Since` names another response.",
    "416": "The header `Range` starts beyond the end of the response.",
}

REJECTED = (
    "Another invalid request: a method other than GET and HEAD (405), a malformed head (400) or a "
    "head that is too long (431)."
)

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
    return {200: {"headers": _headers(ETAG_HEADERS | RANGE_HEADERS), "content": {media_type: {}}}}


def set_openapi(app: FastAPI) -> None:
    """Replace FastAPI's OpenAPI document by the completed document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def with_sources(document: dict[str, Any], sources: Sequence[Source]) -> dict[str, Any]:
    """Add the attribution and the licences of the served data to the OpenAPI document."""
    attribution = attribution_of(sources)
    licences = {source.licence: source.licence_url for source in sources}
    info = {
        **document["info"],
        "description": f"{document['info']['description'].rstrip()}\n\n{attribution}\n",
        # The object has room for one licence's URL only.
        "license": {"name": f"Data: {', '.join(licences)}"}
        | ({"url": sources[0].licence_url} if len(licences) == 1 else {}),
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
        if "ETag" in responses["200"].get("headers", ()):
            responses |= _conditional(responses["200"])
        responses["4XX"] = _problem(REJECTED)
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
    headers = _headers(ROW_HEADERS | RANGE_HEADERS)
    found: Responses = {200: {"description": model.__doc__, "headers": headers, "content": content}}
    for status in errors:
        found[status] = _problem(ERRORS[status], RETRY_HEADERS if status == 503 else {})
    return found


def _conditional(complete: Mapping[str, Any]) -> dict[str, Any]:
    """Document the responses to conditional and range requests (RFC 9110, 13 and 14)."""
    headers = {
        name: each for name, each in UNCHANGED_HEADERS.items() if name in complete["headers"]
    }
    return {
        "206": {
            "description": PART,
            "headers": complete["headers"] | _headers(PART_HEADERS),
            "content": {
                # A part of a body has no schema but text.
                media_type: {"schema": {"type": "string"}} if each.get("schema") else {}
                for media_type, each in complete["content"].items()
            },
        },
        "304": {"description": UNCHANGED, "headers": _headers(headers)},
        **{
            status: _problem(description, headers | PART_HEADERS)
            for status, description in UNMATCHED.items()
        },
    }


def _problem(description: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    content = {problems.MEDIA_TYPE: {"schema": _reference(Problem)}}
    return {"description": description, "content": content, "headers": _headers(headers or {})}


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
