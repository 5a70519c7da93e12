"""The OpenAPI document: what FastAPI finds out by itself, and what it cannot."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api.data.columns import arrow_schema
from api.data.rows import (
    DailyWeather,
    HourlyWeather,
    KnownLocation,
    MonthlyWeather,
    Row,
    YearlyWeather,
)
from api.formats.formats import MEDIA_TYPES, Format, rendered
from api.http import problems
from api.http.problems import Problem, WrongParameter
from weather.source import Source

Responses = dict[int | str, dict[str, Any]]

ROWS = (DailyWeather, MonthlyWeather, YearlyWeather, HourlyWeather, KnownLocation)

REFERENCE = "#/components/schemas/{model}"

ERRORS = {
    404: "The location is unknown, or has no data yet.",
    422: "A parameter is wrong.",
    503: "The data cannot be read at the moment: try again soon.",
}

ETAG_HEADERS = {
    "ETag": "Names this answer; sent back as `If-None-Match`, it gives 304 while nothing changes."
}

UNCHANGED_HEADERS = {
    **ETAG_HEADERS,
    "Last-Modified": "When the snapshot was published that the answer comes from.",
    "X-Weather-Stale": (
        "There while what is published now cannot be found out: why (`store`, `lake`, "
        "`unpublished`, `defect`). What was loaded last is served meanwhile."
    ),
}

HEADERS = {
    **UNCHANGED_HEADERS,
    "Link": 'The licence and, if there is one, the next page, with `rel="next"`.',
    "X-Next-Cursor": "The parameter `cursor` of the next page, if there is one.",
    "Attribution": "Whose data this is, and whether it is a replay of older observations.",
    "X-Weather-Source": "The source by its name: `Open-Meteo`, or `replay of ...`.",
    "X-Weather-Newest-Hour": (
        "The newest hour of the location that has a value, in its local time; of `/weather/hourly`."
    ),
    "Content-Disposition": "A name for the file, for every form but JSON.",
}

RANGE_HEADERS = {
    "Accept-Ranges": "`bytes`: the header `Range` may name a part. Not on compressed bodies."
}

PART_HEADERS = {
    **RANGE_HEADERS,
    "Content-Range": "The bytes of this part, and how many there are in all.",
}

RETRY_HEADERS = {"Retry-After": "In how many seconds to try again."}

ID_HEADERS = {"X-Request-ID": "The request's own, if it had a short one; to be named in reports."}

PART = "The bytes that the header `Range` asks for."

UNMATCHED = {
    412: "The response is not the one that `If-Match` or `If-Unmodified-Since` names.",
    416: "The response has none of the bytes that the header `Range` asks for.",
}

REJECTED = {
    "4XX": (
        "Any other request that the API does not answer: a method other than GET and HEAD (405), "
        "a malformed (400) or too long (431) head."
    )
}

TAGS = [
    {"name": "weather", "description": "Rows of the published snapshot, and what there is of it."},
    {"name": "operations", "description": "Health, readiness and metrics of this process."},
]

NEXT_PAGE = "The next page, with all other parameters as they were."

UNCHANGED = "Nothing has changed since the answer that the client has."


def rows(model: type[Row], errors: Iterable[int] = tuple(ERRORS)) -> Responses:
    """What a route says that answers with rows, or with one of these errors."""
    schema = {"type": "array", "items": _reference(model)}
    return _responses(model, schema, [_example(model)], errors)


def one_row(model: type[Row]) -> Responses:
    """What a route says that answers with one row."""
    return _responses(model, _reference(model), _example(model), ERRORS)


def page(media_type: str) -> Responses:
    """What a route says that has a page, of this type, beside its answer for programs."""
    headers = _headers(ETAG_HEADERS)
    content: dict[str, Any] = {"content": {media_type: {}}}
    return {
        200: {**content, "headers": headers | _headers(RANGE_HEADERS)},
        **_parts(ETAG_HEADERS, {"application/json": {}, media_type: {}}),
        304: {"description": UNCHANGED, "headers": headers},
    }


def describe(app: FastAPI) -> None:
    """Let the app describe itself by this document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def with_source(document: dict[str, Any], source: Source) -> dict[str, Any]:
    """Return the document with the attribution and the licence of the data that are served."""
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
        # Relative to the document's own address, so that it is right behind any path prefix.
        servers=[{"url": ".", "description": "The server that this document comes from."}],
        tags=TAGS,
        routes=app.routes,
    )
    # Every operation is open to everybody.
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
    kept = {name: value for name, value in headers.items() if name in UNCHANGED_HEADERS}
    return {
        206: {
            "description": PART,
            "headers": _headers({**headers, **PART_HEADERS}),
            "content": content,
        },
        **{
            status: {
                "description": description,
                "headers": _headers({**kept, **PART_HEADERS}),
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
        # With `fields`, only those are there.
        schema.pop("required")
    return schema


def _example(model: type[Row]) -> dict[str, Any]:
    """A row made of the fields' own examples."""
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
    return rendered(pa.RecordBatch.from_pylist([row], arrow_schema(model)), Format.CSV).decode()


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is left out is not sent as null: a query has no such thing."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    others = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**kinds[0], **others}
