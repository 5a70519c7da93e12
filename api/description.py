"""The OpenAPI document: what FastAPI finds out by itself, and what it cannot."""

from typing import Any

import pyarrow as pa
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api import problems
from api.columns import arrow_schema
from api.formats import MEDIA_TYPES, Format, rendered
from api.problems import Problem, WrongParameter
from api.rows import (
    DailyWeather,
    HourlyWeather,
    KnownLocation,
    MonthlyWeather,
    Row,
    YearlyWeather,
)

Responses = dict[int | str, dict[str, Any]]

ROWS = (DailyWeather, MonthlyWeather, YearlyWeather, HourlyWeather, KnownLocation)

REFERENCE = "#/components/schemas/{model}"

ERRORS = {
    404: "The location is unknown, or has no data yet.",
    422: "A parameter is wrong.",
    503: "The data cannot be read at the moment: try again soon.",
}

HEADERS = {
    "ETag": "Names this answer; sent back as `If-None-Match`, it gives 304 while nothing changes.",
    "Last-Modified": "When the snapshot was published that the answer comes from.",
    "Link": 'The licence and, if there is one, the next page, with `rel="next"`.',
    "Attribution": "Whose data this is.",
    "X-Weather-Stale": (
        "There while what is published now cannot be found out: why (`store`, `lake`, "
        "`unpublished`, `defect`). What was loaded last is served meanwhile."
    ),
}


def rows(model: type[Row]) -> Responses:
    """What a route says that answers with rows."""
    return _responses(model, {"type": "array", "items": _reference(model)}, [_example(model)])


def one_row(model: type[Row]) -> Responses:
    """What a route says that answers with one row."""
    return _responses(model, _reference(model), _example(model))


def describe(app: FastAPI) -> None:
    """Let the app describe itself by this document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        license_info=app.license_info,
        routes=app.routes,
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (*ROWS, Problem, WrongParameter):
        schemas[model.__name__] = _schema(model)
    for operations in document["paths"].values():
        for parameter in operations["get"].get("parameters", []):
            parameter["schema"] = _without_null(parameter["schema"])
    return document


def _responses(model: type[Row], schema: dict[str, Any], example: Any) -> Responses:
    content: dict[str, Any] = {
        media_type: {"schema": {"type": "string", "contentMediaType": media_type}}
        for media_type in MEDIA_TYPES.values()
    }
    content[MEDIA_TYPES[Format.JSON]] = {"schema": schema, "example": example}
    content[MEDIA_TYPES[Format.CSV]]["example"] = _csv_example(model)
    headers = {
        name: {"description": meaning, "schema": {"type": "string"}}
        for name, meaning in HEADERS.items()
    }
    problem = {problems.MEDIA_TYPE: {"schema": _reference(Problem)}}
    return {
        200: {"description": model.__doc__, "headers": headers, "content": content},
        304: {"description": "Nothing has changed since the answer that the client has."},
        **{
            status: {"description": meaning, "content": problem}
            for status, meaning in ERRORS.items()
        },
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
