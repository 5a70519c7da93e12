"""The plain way to transform: a dbt project that reads all raw files and makes its tables anew."""

from pathlib import Path

from bench.lake import Lake
from bench.workplace import Workplace
from local.processes import Command, program, run_step

PROJECT = Path(__file__).with_name("plain")


class PlainRun:
    """The plain project on the raw files of a lake's bucket, its tables in a DuckDB file."""

    def __init__(self, workplace: Workplace, lake: Lake) -> None:
        self.database = workplace.folder / f"plain-{lake.bucket}.duckdb"
        self._log = workplace.log(f"plain-{lake.bucket}")
        self._environment = {
            **lake.environment,
            "PLAIN_DATABASE": str(self.database),
            "DBT_TARGET_PATH": str(workplace.folder / "plain-target"),
        }

    def transform(self) -> None:
        """Build both models and run their tests, in a single dbt process."""
        places = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
        arguments = [program("dbt"), "build", *places]
        run_step(Command("the plain dbt run", arguments, self._environment, self._log))
