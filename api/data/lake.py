"""Read a lake snapshot as Arrow columns, with limits on CPU, memory and time."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from api.data.row_models import WeatherRow, arrow_schema
from api.data.series import Series
from weather.ducklake import first_line, require_published_lake
from weather.errors import ExitCode, StepError
from weather.published import Published

if TYPE_CHECKING:
    import duckdb

Result = TypeVar("Result")

MEMORY_LIMIT = "512MB"
"""DuckDB's memory; beyond it, DuckDB spills to temporary files."""

BATCH_ROWS = 100_000


class LakeReader:
    """Reader of a lake that is attached at one snapshot."""

    def __init__(self, lake: "duckdb.DuckDBPyConnection") -> None:
        self._lake = lake

    def rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query, or no rows if the snapshot lacks the table."""
        result = self._execute(query, parameters)
        return result.fetchall() if result else []

    def series(self, query: str, model: type[WeatherRow], period: str, **parameters: Any) -> Series:
        """Return the rows of a query as a series, with the model's columns.

        The query must return them in the order of a series.
        """
        schema = _with_dictionaries(arrow_schema(model))
        pieces = {field.name: [pa.array([], field.type)] for field in schema}
        result = self._execute(query, parameters)
        # In batches, because DuckDB and Arrow would each hold all rows otherwise.
        for batch in result.to_arrow_reader(BATCH_ROWS) if result else ():
            for field in schema:
                pieces[field.name].append(batch.column(field.name).cast(field.type))
        columns = [pa.concat_arrays(pieces.pop(name)) for name in schema.names]
        return Series(pa.RecordBatch.from_arrays(columns, schema=schema), period)

    def interrupt(self) -> None:
        """Cancel the query that another thread runs. That thread gets a StepError."""
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
def lake_reader(lake: "duckdb.DuckDBPyConnection", published: Published) -> Iterator[LakeReader]:
    """Yield a reader of a lake that is attached at the published snapshot.

    Raises:
        StepError: the lake cannot be read.
    """
    import duckdb

    try:
        require_published_lake(published, lake)
        # Requests need the other cores.
        lake.execute("SET threads = 1")
        lake.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        yield LakeReader(lake)
    except duckdb.Error as error:
        raise StepError(
            f"Snapshot {published.snapshot_id} of the lake cannot be read: "
            f"{first_line(error)}. Check that the catalog and the store are running.",
            ExitCode.UNAVAILABLE,
        ) from None


def in_background(work: Callable[[], Result]) -> Future[Result]:
    """Run a function in a daemon thread, and return a future of its result.

    An executor's threads would keep the process from exiting while a server does not respond.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def naive_utc(moment: datetime) -> datetime:
    """Return a timestamp as the lake stores it: in UTC, without a time zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _with_dictionaries(schema: pa.Schema) -> pa.Schema:
    """Return the schema with strings as dictionaries, because all strings are location ids."""
    dictionary = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        field.with_type(dictionary) if pa.types.is_string(field.type) else field for field in schema
    )
