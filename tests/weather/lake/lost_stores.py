"""Delete parts of a lake, and read the API's responses."""

import os
from pathlib import Path

import duckdb

from tests.api.server import eventually, running_api
from tests.pipeline import Pipeline

PATHS = (
    "/weather/summary?location=lyon",
    "/weather/summary?location=new-york",
    "/weather/latest",
    "/weather/hourly",
)


def lose_objects(pipeline: Pipeline, prefix: str = "") -> None:
    """Delete the bucket's objects with this prefix, by default all."""
    pipeline.store.delete(list(pipeline.store.list(prefix)))


def lose_catalog(pipeline: Pipeline) -> None:
    """Delete the catalog."""
    catalog = pipeline.settings.lake_catalog
    if catalog.startswith("sqlite:"):
        Path(catalog.removeprefix("sqlite:")).unlink()
        return
    with duckdb.connect(
        config={"extension_directory": os.environ["DUCKDB_EXTENSION_DIRECTORY"]}
    ) as c:
        c.execute(f"ATTACH '{catalog.removeprefix('postgres:')}' AS catalog (TYPE postgres)")
        c.execute("CALL postgres_execute('catalog', 'DROP SCHEMA public CASCADE')")
        c.execute("CALL postgres_execute('catalog', 'CREATE SCHEMA public')")


def lose_both_stores(pipeline: Pipeline) -> None:
    """Delete the bucket's objects and the catalog."""
    lose_objects(pipeline)
    lose_catalog(pipeline)


def api_responses(log: Path) -> list[bytes]:
    """Start the API and return its responses: days of two locations, the newest day, hours."""
    with running_api(os.environ, log) as client:
        eventually(lambda: client.get("/readyz").status_code == 200)
        replies = [client.get(path) for path in PATHS]
    assert [reply.status_code for reply in replies] == [200] * len(PATHS)
    return [reply.content for reply in replies]
