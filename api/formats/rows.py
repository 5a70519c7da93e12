"""Rows as a response: rendered from Arrow columns as JSON, CSV, Parquet or Arrow.

JSON and CSV are joined column by column. Without a Python object for each value, this takes a
twentieth of the time, and it releases the interpreter for other requests.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from fastapi import Request, Response

from api.data.series import Position
from api.data.served import ServedData
from api.formats.negotiation import MEDIA_TYPES, Format
from weather.source import attribution_of, licence_urls_of

MAX_AGE_SECONDS = 60
"""Seconds that a client may use a response without revalidation: data change hourly at most."""

FORMATS = {media_type: format_ for format_, media_type in MEDIA_TYPES.items()}


def rows_response(
    request: Request,
    rows: pa.RecordBatch,
    *,
    locations: Sequence[str] | None,
    format_: Format | None,
    fields: str | None,
    next_page: Position | None = None,
    as_object: bool = False,
) -> Response:
    """Return a response with rows.

    Args:
        request: the request.
        rows: all columns of the rows.
        locations: the requested locations, whose sources are attributed; None for all.
        format_: the parameter `format`; None for the negotiated media type.
        fields: the parameter `fields`; None for all columns.
        next_page: position after which the next page begins, if there is one.
        as_object: render the only row as a JSON object instead of an array.
    """
    if fields:
        rows = rows.select(list(dict.fromkeys(fields.split(","))))
    format_ = format_ or FORMATS.get(request.scope["media_type"], Format.JSON)
    body = render(rows, format_)
    if as_object and format_ is Format.JSON:
        assert rows.num_rows == 1
        body = body[1:-1]
    headers = _headers(request, format_, next_page, locations)
    return Response(body, headers=headers, media_type=MEDIA_TYPES[format_])


def _headers(
    request: Request,
    format_: Format,
    next_page: Position | None,
    locations: Sequence[str] | None,
) -> dict[str, str]:
    served: ServedData = request.scope["served"]
    sources = served.sources(locations)
    links = [f'<{url}>; rel="license"' for url in licence_urls_of(sources)]
    if next_page:
        links.insert(0, f'<{_next_page_url(request, next_page)}>; rel="next"')
    headers = {
        "Cache-Control": f"public, max-age={MAX_AGE_SECONDS}",
        "Attribution": attribution_of(sources),
        "X-Weather-Source": ", ".join(source.name for source in sources),
        "Link": ", ".join(links),
    }
    if next_page:
        headers["X-Next-Cursor"] = next_page.to_cursor()
    if served.snapshot:
        published_at = served.snapshot.published.published_at
        headers["Last-Modified"] = format_datetime(published_at, usegmt=True)
    if format_ is not Format.JSON:
        name = request.url.path.rpartition("/")[2]
        named = request.query_params.getlist("location")
        if len(named) == 1:
            name += f"-{named[0]}"
        headers["Content-Disposition"] = f'attachment; filename="{name}.{format_}"'
    return headers


def _next_page_url(request: Request, position: Position) -> str:
    """Return the next page's URL, relative to the current page's URL.

    The API does not know the path prefix that a proxy strips. Beginning with `../`, the reference
    is right under any prefix, and also for clients that join it with the API's root.
    """
    path = request.url.path
    root = "../" * (path.count("/") - 1)
    parameters: list[tuple[str, Any]] = [
        (name, value) for name, value in request.query_params.multi_items() if name != "cursor"
    ]
    return f"{root}{path[1:]}?{urlencode([*parameters, ('cursor', position.to_cursor())])}"


def render(rows: pa.RecordBatch, format_: Format) -> bytes:
    """Render rows. Parquet and Arrow include the schema's metadata."""
    return _RENDERERS[format_](_without_negative_zero(rows))


def _without_negative_zero(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Replace -0.0, which a mean or an older lake may have, by 0.0."""
    columns = [
        pc.add(column, 0.0) if pa.types.is_floating(column.type) else column
        for column in rows.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=rows.schema)


def _quoted_if_needed(text: str) -> str:
    needs_quotes = any(mark in text for mark in ',"\r\n')
    return '"' + text.replace('"', '""') + '"' if needs_quotes else text


@dataclass(frozen=True)
class _TextStyle:
    """Quotation marks and nulls of a text format."""

    quote: Callable[[str], str]
    """Quote a string."""
    time_quote: str
    """Quotation mark of a date or a timestamp."""
    null: str


_JSON_STYLE = _TextStyle(lambda text: json.dumps(text, ensure_ascii=False), '"', "null")
_CSV_STYLE = _TextStyle(_quoted_if_needed, "", "")


def _json(rows: pa.RecordBatch) -> bytes:
    """Render an array of objects."""
    names = [json.dumps(field.name) for field in rows.schema]
    starts = [f"{',' if number else '{'}{name}:" for number, name in enumerate(names)]
    objects = _joined(rows, starts, "},", _JSON_STYLE)
    return b"".join((b"[", objects[:-1], b"]"))


def _csv(rows: pa.RecordBatch) -> bytes:
    """Render a header line, and a line for each row. Nulls are empty."""
    starts = ["," if number else "" for number in range(rows.num_columns)]
    header = ",".join(rows.schema.names).encode() + b"\n"
    # The line of a single null would be empty, and CSV readers skip empty lines.
    style = _CSV_STYLE if rows.num_columns > 1 else replace(_CSV_STYLE, null='""')
    return b"".join((header, _joined(rows, starts, "\n", style)))


def _joined(rows: pa.RecordBatch, starts: Sequence[str], end: str, style: _TextStyle) -> memoryview:
    """Join all rows to one text: before each value its column's start, after each row `end`."""
    if rows.num_rows == 0:
        return memoryview(b"")
    pieces: list[pa.Array | pa.Scalar] = []
    for start, column in zip(starts, rows.columns, strict=True):
        pieces += [pa.scalar(start), _strings(column, style)]
    pieces += [pa.scalar(end), pa.scalar("")]
    texts = pc.binary_join_element_wise(
        *pieces, null_handling="replace", null_replacement=style.null
    )
    # The last buffer of an Arrow string column is all its strings, joined.
    return memoryview(texts.buffers()[2])


def _strings(column: pa.Array, style: _TextStyle) -> pa.Array:
    """Format values as strings. Nulls stay null."""
    if pa.types.is_dictionary(column.type):
        # The dictionary of a slice has the names of all rows: encode only those of the slice.
        names = column.dictionary_decode().dictionary_encode()
        return _strings(names.dictionary, style).take(names.indices)
    if pa.types.is_string(column.type):
        values = (None if text is None else style.quote(text) for text in column.to_pylist())
        return pa.array(values, pa.string())
    if pa.types.is_floating(column.type):
        return _decimals(column)
    strings = column.cast(pa.string())
    if pa.types.is_timestamp(column.type):
        strings = pc.replace_substring(strings, " ", "T")
    if pa.types.is_temporal(column.type):
        quote = pa.scalar(style.time_quote)
        strings = pc.binary_join_element_wise(quote, strings, quote, pa.scalar(""))
    return strings


def _decimals(column: pa.Array) -> pa.Array:
    """Format numbers with a decimal point, because clients would infer integers from 24."""
    strings = column.cast(pa.string())
    is_whole = pc.and_(pc.equal(column, pc.trunc(column)), pc.less(pc.abs(column), 1e6))
    with_point = pc.binary_join_element_wise(strings, pa.scalar(".0"), pa.scalar(""))
    return pc.if_else(is_whole, with_point, strings)


def _parquet(rows: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(pa.Table.from_batches([_without_dictionaries(rows)]), sink)
    return _bytes(sink)


def _arrow(rows: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    batch = _without_dictionaries(rows)
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return _bytes(sink)


def _bytes(sink: pa.BufferOutputStream) -> bytes:
    body: bytes = sink.getvalue().to_pybytes()
    return body


def _without_dictionaries(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Decode dictionary columns, because not all clients can read them."""
    columns = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        for column in rows.columns
    ]
    schema = pa.schema(
        field.with_type(column.type) for field, column in zip(rows.schema, columns, strict=True)
    )
    return pa.RecordBatch.from_arrays(columns, schema=schema)


_RENDERERS: Mapping[Format, Callable[[pa.RecordBatch], bytes]] = {
    Format.JSON: _json,
    Format.CSV: _csv,
    Format.PARQUET: _parquet,
    Format.ARROW: _arrow,
}
