"""dbt-duckdb's plugin for the store: dbt reaches it as all other steps do."""

from collections.abc import Iterator
from contextlib import contextmanager

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError
from duckdb import DuckDBPyConnection

from weather.ducklake import configure
from weather.exit_codes import StepError
from weather.s3 import S3Access
from weather.settings import LakeSettings, read_settings


class Plugin(BasePlugin):
    """Configure DuckDB for the store and the catalog, and renew the store's credentials."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Set the limits of time and create the secrets; dbt attaches the lake afterwards."""
        with _failures_of_dbt():
            settings = read_settings(LakeSettings)
            self._access = S3Access(settings)
            configure(conn, settings, self._access)

    def configure_cursor(self, cursor: DuckDBPyConnection) -> None:
        """Renew temporary credentials: dbt opens a cursor for each model and test."""
        with _failures_of_dbt():
            self._access.renew(cursor)


@contextmanager
def _failures_of_dbt() -> Iterator[None]:
    """Turn a step's error into one that dbt prints in a line, without a traceback."""
    try:
        yield
    except StepError as error:
        raise DbtRuntimeError(str(error)) from None
