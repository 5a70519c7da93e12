"""A snapshot of the lake, read as columns and without taking the machine from requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from api.data.columns import arrow_schema
from api.data.rows import WeatherRow
from api.data.series import Series
from weather.ducklake import first_line, require_published_lake
from weather.errors import ExitCode, StepError
from weather.published import Published

if TYPE_CHECKING:
    import duckdb

MEMORY = "512MB"
"""What DuckDB may take before it writes what does not fit to the folder of temporary files."""

ROWS_AT_ONCE = 100_000


class Snapshot:
    """An open snapshot."""

    def __init__(self, lake: "duckdb.DuckDBPyConnection") -> None:
        self._lake = lake

    def rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of an answer; none where the snapshot has no such table yet."""
        answer = self._execute(query, parameters)
        return answer.fetchall() if answer else []

    def series(self, query: str, model: type[WeatherRow], period: str, **parameters: Any) -> Series:
        """The rows of an answer that comes in a series' order, with the model's columns."""
        schema = _in_memory(arrow_schema(model))
        pieces = {field.name: [pa.array([], field.type)] for field in schema}
        answer = self._execute(query, parameters)
        # In pieces, so that DuckDB and Arrow do not both have all of it at once.
        for batch in answer.to_arrow_reader(ROWS_AT_ONCE) if answer else ():
            for field in schema:
                pieces[field.name].append(batch.column(field.name).cast(field.type))
        columns = [pa.concat_arrays(pieces.pop(name)) for name in schema.names]
        return Series(pa.RecordBatch.from_arrays(columns, schema=schema), period)

    def interrupt(self) -> None:
        """End what another thread has it read; there it raises StepError."""
        self._lake.interrupt()

    def _execute(
        self, query: str, parameters: dict[str, Any]
    ) -> "duckdb.DuckDBPyConnection | None":
        import duckdb

        try:
            return self._lake.execute(query, parameters)
        except duckdb.CatalogException:
            return None


@contextmanager
def reading(lake: "duckdb.DuckDBPyConnection", published: Published) -> Iterator[Snapshot]:
    """The published snapshot inside the `with`, of a lake that is open at it.

    Raises:
        StepError: the lake cannot be read.
    """
    import duckdb

    try:
        require_published_lake(published, lake)
        # One thread, so that requests have the other cores.
        lake.execute("SET threads = 1")
        lake.execute(f"SET memory_limit = '{MEMORY}'")
        yield Snapshot(lake)
    except duckdb.Error as error:
        raise StepError(
            f"Snapshot {published.snapshot_id} of the lake cannot be read: "
            f"{first_line(error)}. See that the catalog and the store are running.",
            ExitCode.UNAVAILABLE,
        ) from None


def without_zone(moment: datetime) -> datetime:
    """The moment as the lake has it: in UTC, without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _in_memory(schema: pa.Schema) -> pa.Schema:
    """The schema with texts, which are all ids of locations, as numbers of them."""
    numbered = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        field.with_type(numbered) if pa.types.is_string(field.type) else field for field in schema
    )
