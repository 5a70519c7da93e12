"""Run the pipeline's steps without Airflow, and copy the lakes of earlier tests."""

import os
import sqlite3
from collections.abc import Callable, Hashable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from weather.dbt_environment import DBT_ENVIRONMENT, PROFILE
from weather.ducklake import attached_lake, data_path
from weather.ingest.__main__ import main as ingest
from weather.lake.__main__ import main as lake_step
from weather.published import Published, read_published
from weather.settings import LakeSettings, read_settings
from weather.storage import Store
from weather.window import Window, lookback_window

MODELS = ["stg_weather", "rejected_weather", "daily_weather_stats"]
PROJECT = ["--project-dir", "dbt_project", "--profiles-dir", "dbt_project"]


@dataclass(frozen=True)
class SavedLake:
    """A lake's catalog and its bucket's objects."""

    catalog: bytes
    objects: dict[str, bytes]


def run_dbt(*arguments: str, callbacks: Sequence[Callable[[Any], None]] = ()) -> bool:
    """Run dbt in this process; return whether it succeeded."""
    from dbt.cli.main import dbtRunner

    return dbtRunner(callbacks=list(callbacks)).invoke([*arguments, *PROFILE]).success


_saved_lakes: dict[Hashable, SavedLake] = {}


class Pipeline:
    """A lake and its steps. The steps read their window from the environment."""

    def __init__(self, environment: pytest.MonkeyPatch) -> None:
        self._environment = environment
        for name, value in DBT_ENVIRONMENT.items():
            environment.setenv(name, value)

    @property
    def settings(self) -> LakeSettings:
        """The lake's settings."""
        return read_settings(LakeSettings)

    @property
    def store(self) -> Store:
        """The lake's bucket."""
        return Store(self.settings)

    def create(self) -> None:
        """Create the bucket and the lake."""
        settings = self.settings
        boto3.client(
            "s3",
            endpoint_url=settings.aws_endpoint_url,
            aws_access_key_id=settings.aws_access_key_id,
            aws_secret_access_key=settings.aws_secret_access_key,
            region_name=settings.aws_region,
        ).create_bucket(Bucket=settings.weather_bucket)
        assert lake_step(["create"]) == 0

    def take(self, window: Window) -> None:
        """Set the window of the following steps."""
        self._environment.setenv("WEATHER_WINDOW_START", window.start.isoformat())
        self._environment.setenv("WEATHER_WINDOW_END", window.end.isoformat())

    def ingest(self) -> int:
        """Run ingest and return its exit code."""
        return ingest(["--shard", "0", "--shards", "1"])

    def transform(self, *models: str) -> bool:
        """Build and test models, with one dbt invocation for each as in the DAG, or one for all.

        Returns:
            Whether all succeeded.
        """
        selections = [["--select", f"fqn:weather.{model}"] for model in models] or [[]]
        return all(run_dbt("build", *selection, *PROJECT) for selection in selections)

    def test(self, *names: str) -> bool:
        """Run data tests of a model or by name, on unpublished rows."""
        return run_dbt("test", "--select", *names, "--indirect-selection", "eager", *PROJECT)

    def publish(self) -> int:
        """Run publish and return its exit code."""
        return lake_step(["publish"])

    def run(self, window: Window, *models: str) -> None:
        """Run all steps and require success. With `models`, run dbt once for each."""
        self.take(window)
        assert self.ingest() == 0
        assert self.transform(*models)
        assert self.publish() == 0

    def run_hour(self, end: datetime, lookback_hours: int = 168) -> None:
        """Run all steps for the lookback window that ends at an hour."""
        self.run(lookback_window(end, lookback_hours))

    def fill(self, *windows: Window) -> None:
        """Bring an empty lake to the state after runs of these windows in order."""

        def run_all() -> None:
            for window in windows:
                self.run(window)

        self.fill_once(windows, run_all)
        self.take(windows[-1])

    def fill_once(self, name: Hashable, fill: Callable[[], None]) -> None:
        """Fill an empty lake by `fill`, or copy the lake that an earlier test filled as `name`.

        A run takes 5 s of CPU time, and a copy 0.1 s.
        """
        source = tuple(os.environ.get(each) for each in ("OPEN_METEO_URL", "WEATHER_LOCATIONS"))
        kind, _, catalog = self.settings.lake_catalog.partition(":")
        if saved := _saved_lakes.get((name, source)) if kind == "sqlite" else None:
            self._load(saved, Path(catalog))
            return
        fill()
        if kind == "sqlite":
            with closing(sqlite3.connect(catalog)) as database:
                objects = {key: self.store.get(key) or b"" for key in self.store.list()}
                _saved_lakes[name, source] = SavedLake(database.serialize(), objects)

    def _load(self, saved: SavedLake, catalog: Path) -> None:
        store = self.store
        for key, body in saved.objects.items():
            store.put(key, body)
        catalog.write_bytes(saved.catalog)
        with closing(sqlite3.connect(catalog)) as database, database:
            changed = database.execute(
                "UPDATE ducklake_metadata SET value = ? WHERE key = 'data_path'",
                [data_path(self.settings)],
            )
            assert changed.rowcount == 1

    def published(self) -> Published | None:
        """Read `published.json`."""
        return read_published(self.store)

    def rows(self, query: str, *, snapshot_id: int | None = None) -> list[tuple[Any, ...]]:
        """Query the lake, or one of its snapshots."""
        with attached_lake(self.settings, snapshot_id=snapshot_id) as lake:
            return lake.execute(query).fetchall()

    def execute(self, statement: str) -> None:
        """Execute a statement on the lake."""
        with attached_lake(self.settings) as lake:
            lake.execute(statement)
