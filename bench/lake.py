"""One lake, and the steps that the DAG runs on it, each a process of its own."""

import shutil
from pathlib import Path

from bench.workplace import Workplace
from local.folders import DBT_PROJECT
from local.processes import Command, program, python_module, run_step
from weather.dbt_environment import DBT_ENVIRONMENT
from weather.ingest.job import Job
from weather.ingest.run import Stats, ingest
from weather.locations import read_locations
from weather.published import PUBLISHED_KEY
from weather.settings import SourceSettings, StoreSettings
from weather.storage import Store
from weather.window import Window

MODELS = ("stg_weather", "rejected_weather", "daily_weather_stats")

BUILD = [
    *(program("dbt"), "build"),
    *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
    *("--profile", "weather", "--target", "lake"),
]


class Lake:
    """A bucket and a catalog that nothing else uses.

    Every step raises StepError with the last lines of its log when it fails.
    """

    def __init__(self, workplace: Workplace, bucket: str, locations: Path | None = None) -> None:
        self.bucket = bucket
        self._workplace = workplace
        self._catalog = workplace.folder / f"{bucket}.sqlite"
        self._saved = self._catalog.with_suffix(".saved")
        self.environment = {
            **workplace.environment,
            **DBT_ENVIRONMENT,
            "WEATHER_BUCKET": bucket,
            "LAKE_CATALOG": f"sqlite:{self._catalog}",
            "DBT_TARGET_PATH": str(workplace.folder / "target"),
        }
        if locations:
            self.environment["WEATHER_LOCATIONS"] = str(locations)
        workplace.add_bucket(bucket)
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
        """Take the window's hours, as the DAG does."""
        self._run("ingest", python_module("weather.ingest"), window)

    def ingest_here(self, windows: list[Window]) -> None:
        """Take the hours of many windows without a process for each."""
        locations = read_locations(Path(self.environment["WEATHER_LOCATIONS"]))
        address = self.environment["OPEN_METEO_URL"]
        source = SourceSettings(
            open_meteo_url=address, open_meteo_archive_url=address, open_meteo_api_key=None
        )
        for window in windows:
            ingest(Job(window, 0, 1, locations), source, self.store, Stats())

    def build_models(self, window: Window) -> None:
        """Build each model and run its tests, a dbt process each, as the DAG does."""
        for model in MODELS:
            self._run(model, [*BUILD, "--select", f"fqn:weather.{model}"], window)

    def build_models_together(self, window: Window) -> None:
        """Build all models and run their tests in a single dbt process, as the plain run does."""
        self._run("models", BUILD, window)

    def transform(self, window: Window) -> None:
        """All that an hour's run does after ingest: the models with their tests, and publish."""
        self.build_models(window)
        self.publish(window)

    def publish(self, window: Window) -> None:
        """Name the lake as it is now as what readers see."""
        self._run("publish", python_module("weather.lake", "publish"), window)

    def keep_up(self) -> None:
        """Merge small files, as the DAG does each day."""
        self._run("upkeep", python_module("weather.lake", "upkeep"))

    def save(self) -> None:
        """Remember the lake as it is now."""
        shutil.copyfile(self._catalog, self._saved)
        self._published = self.store.get(PUBLISHED_KEY) or b""

    def restore(self) -> None:
        """Take the lake back to what was saved; files written since are no part of it."""
        shutil.copyfile(self._saved, self._catalog)
        self.store.put(PUBLISHED_KEY, self._published)

    def _run(self, name: str, arguments: list[str], window: Window | None = None) -> None:
        edges = (
            {
                "WEATHER_WINDOW_START": window.start.isoformat(),
                "WEATHER_WINDOW_END": window.end.isoformat(),
            }
            if window
            else {}
        )
        log = self._workplace.log(f"{self.bucket}-{name.replace(' ', '-')}")
        run_step(Command(name, arguments, {**self.environment, **edges}, log))
