"""The watcher reports a lake that is lost or silent."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from api.data.served import STALE, LoadProblem
from api.data.watcher import SnapshotWatcher
from tests.api.conftest import MONDAY
from tests.api.lake import Lake, a_day
from tests.api.server import eventually
from tests.api.silent_catalog import silent_catalog
from tests.weather.lake.postgres_catalog import HAS_POSTGRES, NO_POSTGRES, PASSWORD, running_catalog

pytestmark = pytest.mark.slow


@contextmanager
def watched(lake: Lake, *, between: float = 0, timeout: float = 30) -> Iterator[SnapshotWatcher]:
    """Yield a running watcher with these intervals in seconds."""
    watcher = SnapshotWatcher(
        lake.settings,
        Path(lake.environment["WEATHER_LOCATIONS"]),
        1_000_000,
        lake_check_interval_seconds=between,
        lake_timeout_seconds=timeout,
    )
    watcher.start()
    try:
        yield watcher
    finally:
        watcher.stop()


@contextmanager
def away(lake: Lake) -> Iterator[None]:
    """Rename the catalog's file inside the `with`."""
    catalog = Path(lake.settings.lake_catalog.removeprefix("sqlite:"))
    elsewhere = catalog.rename(catalog.with_suffix(".away"))
    try:
        yield
    finally:
        elsewhere.rename(catalog)


@contextmanager
def frozen(server: psutil.Process) -> Iterator[None]:
    """Suspend a Postgres server inside the `with`. Clients can still connect."""
    server.suspend()
    try:
        yield
    finally:
        server.resume()


def assert_last_good_data_is_kept(
    watcher: SnapshotWatcher, trouble: AbstractContextManager[None]
) -> None:
    mart = watcher.served.snapshot
    assert mart
    with trouble:
        eventually(lambda: watcher.served.problem is LoadProblem.NO_LAKE)
        assert watcher.served.stale_headers == [(STALE, b"lake")]
    eventually(lambda: watcher.served.problem is None)
    assert watcher.served.stale_headers == []
    assert watcher.served.snapshot is mart
    assert watcher.served.reloads == 1


def test_a_missing_catalog_is_reported_until_it_is_back(lake: Lake) -> None:
    lake.publish()
    with watched(lake) as watcher:
        eventually(lambda: watcher.served.problem is None)
        assert_last_good_data_is_kept(watcher, away(lake))


def test_the_lake_is_read_only_at_its_own_interval(lake: Lake) -> None:
    lake.publish()
    with watched(lake, between=3600) as watcher:
        eventually(lambda: watcher.served.problem is None)
        with away(lake):
            for _ in range(3):
                last = watcher.served.checked_at
                eventually(lambda: watcher.served.checked_at != last)  # noqa: B023 (called at once)
            assert watcher.served.problem is None


def test_a_silent_catalog_is_reported(lake: Lake) -> None:
    lake.publish()
    with silent_catalog() as port:
        catalog = f"postgres:host=127.0.0.1 port={port} connect_timeout=600"
        lake.settings = lake.settings.model_copy(update={"lake_catalog": catalog})
        with watched(lake, timeout=0.5) as watcher:
            eventually(lambda: watcher.served.problem is LoadProblem.NO_LAKE)
            first = watcher.served.checked_at
            # The store is still read.
            eventually(lambda: watcher.served.checked_at != first)
            assert watcher.served.snapshot is None


@pytest.mark.skipif(not HAS_POSTGRES, reason=NO_POSTGRES)
def test_the_last_snapshot_is_kept_if_postgres_hangs(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with running_catalog() as catalog:
        bucket = f"api-{uuid4().hex}"
        there = {"LAKE_CATALOG": catalog.address, "WEATHER_BUCKET": bucket}
        lake = Lake({**lake.environment, **there})
        lake.create_bucket()
        lake.create()
        lake.create_tables(a_day("lyon", MONDAY))
        lake.publish()
        with watched(lake, timeout=3) as watcher:
            eventually(lambda: watcher.served.problem is None)
            assert_last_good_data_is_kept(watcher, frozen(catalog.postmaster))
