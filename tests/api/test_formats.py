"""The same rows in all four formats."""

import csv
import io
import json
import math
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from api.data.row_models import DailyWeather
from api.formats.negotiation import Format
from api.formats.rows import render
from tests.api.weather_rows import NO_VALUES, a_row, batch_of

ROWS: TypeAdapter[list[DailyWeather]] = TypeAdapter(list[DailyWeather])

numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
days = st.builds(
    DailyWeather,
    location=texts,
    date=st.dates(min_value=date(1900, 1, 1), max_value=date(2200, 1, 1)),
    hours=st.integers(0, 25),
    is_complete=st.booleans(),
    **dict.fromkeys(NO_VALUES, numbers),
)


def read(body: bytes, format_: Format) -> list[dict[str, Any]]:
    """Parse rows with the format's usual reader."""
    if format_ is Format.JSON:
        return [row.model_dump() for row in ROWS.validate_json(body)]
    if format_ is Format.CSV:
        lines = csv.DictReader(io.StringIO(body.decode(), newline=""))
        values = [{name: text or None for name, text in line.items()} for line in lines]
        return [DailyWeather.model_validate(value).model_dump() for value in values]
    if format_ is Format.PARQUET:
        return list(pq.read_table(io.BytesIO(body)).to_pylist())
    return list(pa.ipc.open_stream(body).read_all().to_pylist())


@pytest.mark.parametrize("format_", Format)
@given(rows=st.lists(days, max_size=5))
def test_rows_are_the_same_in_every_format(format_: Format, rows: list[DailyWeather]) -> None:
    body = render(batch_of(rows), format_)
    assert read(body, format_) == [row.model_dump() for row in rows]


@pytest.mark.parametrize("format_", Format)
def test_negative_zero_is_written_as_zero(format_: Format) -> None:
    """An older lake may have -0.0."""
    day = date(2026, 1, 10)
    rows = [a_row("lyon", day, value) for value in (-0.0, -0.1, None)]
    zero, *others = (row["temp_min_c"] for row in read(render(batch_of(rows), format_), format_))
    assert (zero, math.copysign(1, zero)) == (0, 1)
    assert others == [-0.1, None]


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_has_a_point_or_an_exponent(value: float) -> None:
    body = render(batch_of([a_row("lyon", date(2025, 11, 20), value)]), Format.JSON)
    text = body.decode().partition('"temp_min_c":')[2].partition(",")[0]
    assert math.isclose(json.loads(text), value, rel_tol=0, abs_tol=0)
    if abs(value) < 1e6:
        assert isinstance(json.loads(text), float)


def test_a_slice_renders_only_its_rows() -> None:
    rows = [a_row(f"place-{number}", date(2025, 1, 1), number / 10) for number in range(500)]
    batch = batch_of(rows).slice(123, 200)
    for format_ in Format:
        assert read(render(batch, format_), format_) == [row.model_dump() for row in rows[123:323]]


def test_a_row_with_a_single_null_is_a_csv_line() -> None:
    rows = batch_of([a_row("lyon", date(2025, 11, day), None) for day in (1, 2)])
    assert render(rows.select(["temp_min_c"]), Format.CSV) == b'temp_min_c\n""\n""\n'


def test_columnar_formats_have_column_descriptions() -> None:
    rows = batch_of([a_row("lyon", date(2025, 11, 20))])
    schema = pq.read_schema(io.BytesIO(render(rows, Format.PARQUET)))
    assert schema.field("temp_min_c").metadata[b"unit"] == "°C".encode()
    assert schema.field("date").metadata[b"description"].startswith(b"The day")
