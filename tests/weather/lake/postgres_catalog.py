"""A Postgres server with the catalog's database, set up as by the chart."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from tests.chart.postgres_server import empty_volume

HAS_POSTGRES = all(map(shutil.which, ("initdb", "pg_ctl", "postgres", "psql")))
NO_POSTGRES = "Postgres server not found: put initdb, pg_ctl, postgres and psql on PATH"

PASSWORD = "passwordOfTheWriter"
READERS_PASSWORD = "passwordOfTheReader"
_PASSWORDS = {
    "AIRFLOW_PASSWORD": "passwordOfAirflow",
    "LAKE_WRITER_PASSWORD": PASSWORD,
    "LAKE_READER_PASSWORD": READERS_PASSWORD,
}


@dataclass(frozen=True)
class Catalog:
    """LAKE_CATALOG of an empty database, and the server's main process."""

    address: str
    postmaster: psutil.Process


@contextmanager
def running_catalog() -> Iterator[Catalog]:
    """Run a server with an empty catalog. PGPASSWORD must be PASSWORD."""
    with empty_volume() as volume:
        prepared = volume.prepare(_PASSWORDS)
        assert prepared.returncode == 0, prepared.stderr
        with volume.server() as port:
            address = f"postgres:host=127.0.0.1 port={port} dbname=lake user=lake_writer"
            yield Catalog(address, volume.postmaster)
