"""Where measurements happen: an S3 server and a replay server of their own, gone at the end."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from local.folders import DAGS, PROJECT
from local.source import running_replay
from local.store import S3Server, running_store, s3_client
from weather.duckdb_extensions import install_extensions

OTHER_SETTINGS = ("AWS_", "DBT_", "LAKE_", "OPEN_METEO_", "WEATHER_")


@dataclass(frozen=True)
class Workplace:
    """A folder for everything that is written, a store, and the address of the source."""

    folder: Path
    server: S3Server
    source: str

    @property
    def environment(self) -> dict[str, str]:
        """What all steps are told; no setting from outside, so nobody else's lake is touched."""
        outside = {
            name: value for name, value in os.environ.items() if not name.startswith(OTHER_SETTINGS)
        }
        return {
            **outside,
            **self.server.environment,
            "OPEN_METEO_URL": self.source,
            "OPEN_METEO_ARCHIVE_URL": self.source,
            "WEATHER_LOCATIONS": str(DAGS / "locations.yaml"),
            "DUCKDB_EXTENSION_DIRECTORY": str(self.folder / "duckdb"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "PYTHONPATH": str(PROJECT),
        }

    def add_bucket(self, name: str) -> None:
        """Make an empty bucket."""
        s3_client(self.server).create_bucket(Bucket=name)

    def log(self, name: str) -> Path:
        """The file of a program's output."""
        return self.folder / "logs" / f"{name}.log"


@contextmanager
def running_workplace() -> Iterator[Workplace]:
    """A workplace inside the `with`; servers end and the folder goes with it."""
    with TemporaryDirectory(prefix="weather-bench-") as name:
        folder = Path(name)
        install_extensions(folder / "duckdb")
        store = folder / "s3"
        store.mkdir()
        log = folder / "logs" / "replay.log"
        with running_store(store) as server, running_replay(os.environ, log) as (source, _):
            yield Workplace(folder, server, source)
