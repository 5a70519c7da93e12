"""A temporary folder with an S3 server and a replay server, for measurements."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from local.environment import DAGS, PROJECT
from local.source import running_replay
from local.store import S3Server, running_store, s3_client
from weather.duckdb_extensions import install_extensions

OTHER_SETTINGS = ("AWS_", "DBT_", "LAKE_", "OPEN_METEO_", "WEATHER_")


@dataclass(frozen=True)
class Sandbox:
    """A folder for all files, an S3 server, and the address of the source."""

    folder: Path
    server: S3Server
    source: str

    @property
    def environment(self) -> dict[str, str]:
        """The settings of all steps. No setting is inherited, so that no other lake is changed."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(OTHER_SETTINGS)
        }
        return {
            **inherited,
            **self.server.environment,
            "OPEN_METEO_URL": self.source,
            "OPEN_METEO_ARCHIVE_URL": self.source,
            "WEATHER_LOCATIONS": str(DAGS / "locations.yaml"),
            "DUCKDB_EXTENSION_DIRECTORY": str(self.folder / "duckdb"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "PYTHONPATH": str(PROJECT),
        }

    def create_bucket(self, name: str) -> None:
        """Create an empty bucket."""
        s3_client(self.server).create_bucket(Bucket=name)

    def log(self, name: str) -> Path:
        """Return the file of a program's output."""
        return self.folder / "logs" / f"{name}.log"


@contextmanager
def running_sandbox() -> Iterator[Sandbox]:
    """Run both servers inside the `with`, and remove the folder after that."""
    with TemporaryDirectory(prefix="weather-bench-") as name:
        folder = Path(name)
        install_extensions(folder / "duckdb")
        store = folder / "s3"
        store.mkdir()
        log = folder / "logs" / "replay.log"
        with running_store(store) as server, running_replay(os.environ, log) as replay:
            yield Sandbox(folder, server, replay.address)
