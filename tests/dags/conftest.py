"""Load the DAG by Airflow, in either runtime."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.orphans import mark
from weather.dbt_environment import PROFILE

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def airflow_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of Airflow's processes, without settings of the pipeline."""
    home = tmp_path_factory.mktemp("airflow")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        **mark(),
        "PATH": f"{Path(sys.executable).parent}:{kept.get('PATH', '')}",
        "PYTHONPATH": f"{PROJECT}:{PROJECT / 'dags'}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # The default is 30 s, too short for ten thousand locations on a busy machine.
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
        "AIRFLOW__COSMOS__ENABLE_CACHE": "False",
        "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    }


@pytest.fixture(scope="session")
def manifest(airflow_environment: dict[str, str]) -> Path:
    """Path of dbt's manifest, parsed from the project."""
    subprocess.run(
        ["dbt", "--quiet", "parse", *PROFILE],
        cwd=PROJECT / "dbt_project",
        env={
            **airflow_environment,
            "DBT_PROFILES_DIR": ".",
            "DBT_LOG_LEVEL_FILE": "none",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DUCKDB_EXTENSION_DIRECTORY": "unused",
            "AWS_ACCESS_KEY_ID": "unused",
            "AWS_SECRET_ACCESS_KEY": "unused",
            "LAKE_CATALOG": "sqlite:unused",
        },
        check=True,
    )
    return PROJECT / "dbt_project" / "target" / "manifest.json"


@pytest.fixture(scope="session")
def in_airflow(airflow_environment: dict[str, str], manifest: Path) -> Callable[..., str]:
    """Run Python code that uses `dag` in a subprocess, and return the last line of its output."""
    program = (
        "import sys, json\n"
        "from pathlib import Path\n"
        "from airflow.dag_processing.dagbag import BundleDagBag\n"
        f"folder = Path({str(PROJECT / 'dags')!r})\n"
        "bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name='dags-folder')\n"
        "assert not bag.import_errors, '\\n'.join(bag.import_errors.values())\n"
        "assert list(bag.dags) == ['weather_pipeline'], list(bag.dags)\n"
        "dag = bag.dags['weather_pipeline']\n"
    )

    def run(code: str, **environment: str) -> str:
        result = subprocess.run(
            [sys.executable, "-c", program + code],
            env={**airflow_environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout.splitlines()[-1] if result.stdout else ""

    return run
