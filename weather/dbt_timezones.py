"""Plugin of dbt-duckdb: the table `memory.main.utc_offsets`, from which dbt cuts local days."""

import json

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

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


class Plugin(BasePlugin):
    """Fill the table when dbt opens DuckDB, so that cursors of every thread see it."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Add the table to a connection."""
        add_utc_offsets(conn)


def add_utc_offsets(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the table to the in-memory database of a connection."""
    connection.execute(TABLE)
    # DuckDB imports pandas for a parameter, where it is installed: 1.5 s.
    connection.execute(ROWS.format(zones=json.dumps(utc_offsets())))
