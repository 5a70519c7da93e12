"""The row that the API answers with, dbt's contract and the published file are the same."""

from datetime import date
from io import BytesIO
from types import NoneType
from typing import get_args

import pyarrow as pa
import pyarrow.parquet as pq

from api.rows import DailyWeather
from tests.api.lake import Lake, contract
from weather.published import MART_KEY

MART = "daily_weather_stats"
DBT_NAMES = {"location": "location_id"}

DBT_TYPES: dict[str, type] = {
    "varchar": str,
    "date": date,
    "double": float,
    "integer": int,
    "boolean": bool,
}
ARROW_TYPES: dict[type, pa.DataType] = {
    str: pa.string(),
    date: pa.date32(),
    float: pa.float64(),
    int: pa.int32(),
    bool: pa.bool_(),
}


def fields() -> list[tuple[str, type, bool]]:
    """Each field's name in dbt, type, and whether it may be null."""
    return [
        (DBT_NAMES.get(name, name), *type_of(field.annotation))
        for name, field in DailyWeather.model_fields.items()
    ]


def type_of(annotation: object) -> tuple[type, bool]:
    optional = NoneType in get_args(annotation)
    inner = get_args(annotation)[0] if optional else annotation
    plain = getattr(inner, "__origin__", inner)
    assert isinstance(plain, type)
    return plain, optional


def test_rows_follow_dbts_contract() -> None:
    assert fields() == [
        (
            column["name"],
            DBT_TYPES[column["data_type"]],
            "not_null" not in column.get("data_tests", []),
        )
        for column in contract(MART)
    ]


def test_rows_follow_the_published_file(filled_lake: Lake) -> None:
    body = filled_lake.store.get(MART_KEY)
    assert body is not None
    schema = pq.read_schema(BytesIO(body))
    assert list(zip(schema.names, schema.types, strict=True)) == [
        (name, ARROW_TYPES[type_]) for name, type_, _ in fields()
    ]


def test_the_description_has_every_fields_meaning_and_unit() -> None:
    properties = DailyWeather.model_json_schema()["properties"]
    assert all(field["description"] for field in properties.values())
    for column in contract(MART):
        for suffix, unit in {"_c": "°C", "_mm": "mm", "_kmh": "km/h", "hours": "h"}.items():
            if column["name"].endswith(suffix):
                number = properties[column["name"]]
                assert unit in {part.get("unit") for part in (number, *number.get("anyOf", []))}
