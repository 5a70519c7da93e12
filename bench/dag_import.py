"""What loading the DAG file adds to Airflow's own import."""

import os
import subprocess
import sys
from statistics import median

from bench.results import Result
from local.folders import DAGS, PROJECT
from local.progress import Progress

PROGRAM = """
import time
from airflow.models import DagBag
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
with DAG("any_other"):
    EmptyOperator(task_id="nothing")
start = time.perf_counter()
import weather_pipeline
print(time.perf_counter() - start)
"""
"""Whatever any DAG makes Airflow import is there before the clock starts."""


def measure_dag_import(progress: Progress, rounds: int) -> list[Result]:
    """Load the DAG file in several fresh processes."""
    seconds = [_seconds() for _ in range(rounds)]
    progress.done(f"the DAG file loaded {rounds} times")
    return [
        Result(
            "dag_import_seconds",
            median(seconds),
            "s",
            "what the DAG file adds to Airflow's own import; under 1 is wanted",
        )
    ]


def _seconds() -> float:
    packages = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(DAGS)])
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": packages},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(ended.stdout.splitlines()[-1])
