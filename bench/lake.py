"""A lake for one measurement, and the DAG's steps as processes."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import yaml

from bench.sandbox import Sandbox
from local.environment import DBT_PROJECT
from local.processes import Command, program, python_module, run_step
from weather.dbt_environment import DBT_ENVIRONMENT, PROFILE
from weather.ingest.job import Job, Stats
from weather.ingest.run import ingest
from weather.locations import read_locations
from weather.published import PUBLISHED_KEY
from weather.settings import SourceSettings, StoreSettings
from weather.storage import Store
from weather.window import HOUR, Window, first_hour_from

MODELS = ("stg_weather", "rejected_weather", "daily_weather_stats")

BUILD = [
    *(program("dbt"), "build"),
    *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
    *PROFILE,
]


LOCATIONS = 1000
ZONES = ("Europe/Paris", "America/New_York", "Asia/Kolkata", "UTC")


def last_whole_hour() -> datetime:
    """Return the end of the last complete hour, in UTC."""
    return first_hour_from(datetime.now(UTC)) - HOUR


def write_locations(path: Path, count: int) -> None:
    """Write a locations.yaml with `count` locations all over the Earth."""
    locations = [
        {
            "id": f"place-{number}",
            "name": f"Place {number}",
            "latitude": round(-60 + 120 * number / count, 2),
            "longitude": round(-180 + 37.3 * number % 360, 2),
            "timezone": ZONES[number % len(ZONES)],
        }
        for number in range(count)
    ]
    path.write_text(yaml.safe_dump(locations), encoding="utf-8")


class Lake:
    """A bucket and a catalog of one measurement.

    Every step raises StepError with the last lines of its log if it fails.
    """

    def __init__(self, sandbox: Sandbox, bucket: str, locations: Path | None = None) -> None:
        self.bucket = bucket
        self._sandbox = sandbox
        self._catalog = sandbox.folder / f"{bucket}.sqlite"
        self._saved = self._catalog.with_suffix(".saved")
        self.environment = {
            **sandbox.environment,
            **DBT_ENVIRONMENT,
            "WEATHER_BUCKET": bucket,
            "LAKE_CATALOG": f"sqlite:{self._catalog}",
            "DBT_TARGET_PATH": str(sandbox.folder / "target"),
        }
        if locations:
            self.environment["WEATHER_LOCATIONS"] = str(locations)
        sandbox.create_bucket(bucket)
        self._run("weather.lake create", python_module("weather.lake", "create"))

    @property
    def store(self) -> Store:
        """The lake's bucket."""
        return Store(
            StoreSettings(
                weather_bucket=self.bucket,
                aws_endpoint_url=self.environment["AWS_ENDPOINT_URL"],
                aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
                aws_region=self.environment["AWS_REGION"],
            )
        )

    def ingest(self, window: Window) -> None:
        """Run ingest for the window, as the DAG does."""
        self._run("ingest", python_module("weather.ingest"), window)

    def ingest_here(self, windows: list[Window]) -> None:
        """Run ingest for many windows in this process."""
        locations = read_locations(Path(self.environment["WEATHER_LOCATIONS"]))
        address = self.environment["OPEN_METEO_URL"]
        source = SourceSettings(
            open_meteo_url=address, open_meteo_archive_url=address, open_meteo_api_key=None
        )
        for window in windows:
            ingest(Job(window, 0, 1, locations), source, self.store, Stats())

    def build_models(self, window: Window) -> None:
        """Build and test each model in its own dbt process, as the DAG does."""
        for model in MODELS:
            self._run(model, [*BUILD, "--select", f"fqn:weather.{model}"], window)

    def build_models_together(self, window: Window) -> None:
        """Build and test all models in one dbt process, to compare with bench/plain_dbt."""
        self._run("models", BUILD, window)

    def transform(self, window: Window) -> None:
        """Run all steps after ingest: the models with their tests, and publish."""
        self.build_models(window)
        self.publish(window)

    def publish(self, window: Window) -> None:
        """Publish the current snapshot."""
        self._run("publish", python_module("weather.lake", "publish"), window)

    def keep_up(self) -> None:
        """Compact the lake and expire snapshots, as the DAG does each day."""
        self._run("upkeep", python_module("weather.lake", "upkeep"))

    def save(self) -> None:
        """Save a copy of the catalog and of published.json."""
        shutil.copyfile(self._catalog, self._saved)
        self._published = self.store.get(PUBLISHED_KEY) or b""

    def restore(self) -> None:
        """Restore the saved catalog and published.json. Later data files are ignored."""
        shutil.copyfile(self._saved, self._catalog)
        self.store.put(PUBLISHED_KEY, self._published)

    def _run(self, name: str, arguments: list[str], window: Window | None = None) -> None:
        window_settings = (
            {
                "WEATHER_WINDOW_START": window.start.isoformat(),
                "WEATHER_WINDOW_END": window.end.isoformat(),
            }
            if window
            else {}
        )
        log = self._sandbox.log(f"{self.bucket}-{name.replace(' ', '-')}")
        run_step(Command(name, arguments, {**self.environment, **window_settings}, log))
