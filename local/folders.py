"""Where the one-machine runtime finds the project and keeps its own state."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from weather.settings import DEFAULT_BUCKET

PROJECT = Path(__file__).resolve().parent.parent
DAGS = PROJECT / "dags"
DBT_PROJECT = PROJECT / "dbt_project"


@dataclass(frozen=True)
class State:
    """Everything that the runtime makes, in one folder that only its owner can read."""

    root: Path

    def __post_init__(self) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def credentials(self) -> Path:
        """The file of the services' passwords."""
        return self.root / "credentials.json"

    @property
    def store(self) -> Path:
        """The folder of the S3 server and its data."""
        return self.root / "s3"

    def lake_catalog(self, endpoint: str, bucket: str) -> Path:
        """The SQLite file of the catalog of the lake in a `bucket`.

        Each lake has its own: a catalog names files, and only one store has them. `endpoint` is
        empty for the store that runs here.
        """
        if not endpoint and bucket == DEFAULT_BUCKET:
            return self.root / "lake.sqlite"
        place = hashlib.sha256(f"{endpoint} {bucket}".encode()).hexdigest()
        return self.root / f"lake-{place[:12]}.sqlite"

    @property
    def of_replay(self) -> "State":
        """Where the store and the lake of replayed weather are: never among the real one."""
        return State(self.root / "replay")

    @property
    def airflow_home(self) -> Path:
        """Airflow's own folder."""
        return self.root / "airflow"

    @property
    def duckdb_extensions(self) -> Path:
        """The folder of DuckDB's extensions."""
        return self.root / "duckdb"

    @property
    def cosmos_cache(self) -> Path:
        """The folder where Cosmos keeps what it has parsed."""
        return self.root / "cosmos"

    @property
    def logs(self) -> Path:
        """The folder of the services' output."""
        return self.root / "logs"

    def log(self, service: str) -> Path:
        """The file of a service's output."""
        return self.logs / f"{service}.log"
