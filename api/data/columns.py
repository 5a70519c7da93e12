"""The columns of the rows: a pydantic model as an Arrow schema."""

import datetime
from functools import cache
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

import pyarrow as pa
from pydantic.fields import FieldInfo

from api.data.rows import UNIT, Row

ARROW_TYPES: dict[type, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int32(),
    float: pa.float64(),
    str: pa.string(),
    datetime.date: pa.date32(),
    datetime.datetime: pa.timestamp("s", tz="UTC"),
}

SQL_TYPES: dict[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int32(): "INTEGER",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.date32(): "DATE",
    pa.timestamp("s", tz="UTC"): "TIMESTAMP",
}

LAKE_NAMES = {"location": "location_id"}
"""Columns of the lake that have another name in rows."""


@cache
def arrow_schema(model: type[Row]) -> pa.Schema:
    """The model's fields in its order, with the description and the unit of each as metadata."""
    return pa.schema(
        pa.field(
            name,
            ARROW_TYPES[_plain(field.annotation)],
            nullable=NoneType in get_args(field.annotation),
            metadata=_metadata(field),
        )
        for name, field in model.model_fields.items()
    )


def table_with_columns(table: str, model: type[Row]) -> str:
    """Return a subquery of a table of the lake that has every column of the model.

    An older snapshot lacks columns that were added later: they are null. A newer one may have
    more, which stay.
    """
    columns = ", ".join(
        f"NULL::{SQL_TYPES[field.type]} AS {LAKE_NAMES.get(field.name, field.name)}"
        for field in arrow_schema(model)
    )
    # DuckDB passes filters through to the files of the table.
    return f"(SELECT {columns} WHERE false UNION ALL BY NAME SELECT * FROM {table})"  # noqa: S608 (names of the code)


def _plain(annotation: Any) -> type:
    """The type without `| None` and without what is annotated."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if NoneType in get_args(annotation):
        return _plain(get_args(annotation)[0])
    assert isinstance(annotation, type)
    return annotation


def _metadata(field: FieldInfo) -> dict[str, str]:
    metadata = {"description": field.description or ""}
    annotations = [field, *(each for each in _annotated(field.annotation) if each is not None)]
    for each in annotations:
        extra = getattr(each, "json_schema_extra", None)
        if isinstance(extra, dict) and UNIT in extra:
            metadata["unit"] = str(extra[UNIT])
    return metadata


def _annotated(annotation: Any) -> list[Any]:
    return [
        extra
        for part in get_args(annotation)
        if get_origin(part) is Annotated
        for extra in get_args(part)[1:]
    ]
