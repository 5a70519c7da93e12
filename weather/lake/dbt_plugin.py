"""Plugin of dbt-duckdb: secrets of store and catalog, UTC offsets, and shared queries."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError
from duckdb import DuckDBPyConnection

from weather.ducklake import configure, lake_id_query
from weather.errors import StepError
from weather.lake.tested_snapshots import INSERTIONS
from weather.s3_config import S3Access, literal
from weather.settings import LakeSettings, read_settings
from weather.timezones import utc_offsets

TABLE = """
    CREATE TABLE memory.main.utc_offsets (
        timezone VARCHAR,
        since TIMESTAMP,
        utc_offset INTERVAL,
        -- The local time of the old offset at which the new one begins.
        since_local TIMESTAMP
    )
"""

ROWS = """
    INSERT INTO memory.main.utc_offsets
    SELECT
        timezone,
        make_timestamp(period[1] * 1000000),
        to_seconds(period[2]),
        make_timestamp((period[1] + period[3]) * 1000000)
    FROM (
        SELECT unnest(map_keys(zones)) AS timezone, unnest(map_values(zones)) AS periods
        FROM (SELECT CAST('{zones}'::JSON AS MAP(VARCHAR, BIGINT[][])) AS zones)
    ), unnest(periods) AS of_zone (period)
"""


QUERIES = {"lake_id_query": lake_id_query(), "insertions_query": INSERTIONS}
"""Queries that dbt's macros share with `publish`; `FROM query(memory.main.<name>())` runs one."""


class Plugin(BasePlugin):
    """Configure the connection that dbt opens, and renew the store's credentials."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Set timeouts, secrets, UTC offsets and queries. dbt attaches the lake afterwards."""
        with _failures_of_dbt():
            settings = read_settings(LakeSettings)
            self._access = S3Access(settings)
            configure(conn, settings, self._access)
        add_utc_offsets(conn)
        for name, query in QUERIES.items():
            # DuckDB binds a view when it is created, and the lake is not attached yet.
            conn.execute(f"CREATE MACRO memory.main.{name}() AS {literal(query)}")

    def configure_cursor(self, cursor: DuckDBPyConnection) -> None:
        """Renew the store's temporary credentials before each model and test."""
        with _failures_of_dbt():
            self._access.renew(cursor)


@contextmanager
def _failures_of_dbt() -> Iterator[None]:
    """Convert a StepError into an error that dbt prints in one line."""
    try:
        yield
    except StepError as error:
        raise DbtRuntimeError(str(error)) from None


def add_utc_offsets(connection: DuckDBPyConnection) -> None:
    """Create the table `memory.main.utc_offsets`, which dbt needs to compute local days."""
    connection.execute(TABLE)
    # Not as a parameter: DuckDB would import pandas, where installed, which takes 1.5 s.
    connection.execute(ROWS.format(zones=json.dumps(utc_offsets())))
