"""Rows as bytes: JSON, CSV, Parquet and Arrow, all from the same columns."""

from collections.abc import Callable, Mapping
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from api.formats.texts import csv_text, json_text


class Format(StrEnum):
    """The forms that rows are given in."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"


MEDIA_TYPES: Mapping[Format, str] = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.ARROW: "application/vnd.apache.arrow.stream",
}


def rendered(rows: pa.RecordBatch, format_: Format) -> bytes:
    """The rows in that form, with their schema's metadata where it has room for that."""
    return _RENDERERS[format_](_without_negative_zero(rows))


def rendered_object(rows: pa.RecordBatch) -> bytes:
    """The only row as one JSON object."""
    assert rows.num_rows == 1
    return rendered(rows, Format.JSON)[1:-1]


def _without_negative_zero(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows with 0.0 in place of -0.0, which a mean or an older lake may have."""
    columns = [
        pc.add(column, 0.0) if pa.types.is_floating(column.type) else column
        for column in rows.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=rows.schema)


def _parquet(rows: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(pa.Table.from_batches([_plain(rows)]), sink)
    return _bytes(sink)


def _arrow(rows: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    batch = _plain(rows)
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return _bytes(sink)


def _bytes(sink: pa.BufferOutputStream) -> bytes:
    body: bytes = sink.getvalue().to_pybytes()
    return body


_RENDERERS: Mapping[Format, Callable[[pa.RecordBatch], bytes]] = {
    Format.JSON: json_text,
    Format.CSV: csv_text,
    Format.PARQUET: _parquet,
    Format.ARROW: _arrow,
}


def _plain(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows without what is only good in memory, such as numbered locations."""
    columns = [_decoded(column) for column in rows.columns]
    schema = pa.schema(
        field.with_type(column.type) for field, column in zip(rows.schema, columns, strict=True)
    )
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _decoded(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
