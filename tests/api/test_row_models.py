"""The API's row models match dbt's contract and the published file."""

from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.data.row_models import DailyWeather, HourlyWeather, Row, arrow_schema
from tests.api.lake import Lake, contract
from weather.published import MART_KEY

MART = "daily_weather_stats"
DBT_NAMES = {"location": "location_id"}

ARROW_TYPES: dict[str, pa.DataType] = {
    "varchar": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("s", tz="UTC"),
    "double": pa.float64(),
    "integer": pa.int32(),
    "boolean": pa.bool_(),
}

Field = tuple[str, pa.DataType, bool]
"""Name in dbt, type, and nullability."""


def fields(model: type[Row]) -> list[Field]:
    return [
        (DBT_NAMES.get(field.name, field.name), field.type, field.nullable)
        for field in arrow_schema(model)
    ]


@pytest.mark.parametrize(("model", "table"), [(DailyWeather, MART), (HourlyWeather, "stg_weather")])
def test_rows_match_the_dbt_contract(model: type[Row], table: str) -> None:
    assert fields(model) == [
        (
            column["name"],
            ARROW_TYPES[column["data_type"]],
            "not_null" not in column.get("data_tests", []),
        )
        for column in contract(table)
    ]


def test_rows_match_the_published_file(filled_lake: Lake) -> None:
    body = filled_lake.store.get(MART_KEY)
    assert body is not None
    schema = pq.read_schema(BytesIO(body))
    assert list(zip(schema.names, schema.types, strict=True)) == [
        (name, type_) for name, type_, _ in fields(DailyWeather)
    ]


def test_every_field_has_a_description_and_a_unit() -> None:
    properties = DailyWeather.model_json_schema()["properties"]
    assert all(field["description"] for field in properties.values())
    for column in contract(MART):
        for suffix, unit in {"_c": "°C", "_mm": "mm", "_kmh": "km/h", "hours": "h"}.items():
            if column["name"].endswith(suffix):
                number = properties[column["name"]]
                assert unit in {part.get("x-unit") for part in (number, *number.get("anyOf", []))}
