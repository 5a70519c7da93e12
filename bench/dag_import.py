"""Time the import of the DAG file, without Airflow's own import time."""

import os
import subprocess
import sys
from statistics import median

from bench.results import Result
from local.environment import DAGS, PROJECT
from local.session import Progress

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
"""Timed program; imports that every DAG needs come before the clock starts."""


def measure_dag_import(progress: Progress, rounds: int) -> list[Result]:
    """Measure the median time to import the DAG file, each time in a new process."""
    seconds = [_seconds() for _ in range(rounds)]
    progress.done(f"DAG file imported {rounds} times")
    return [
        Result(
            "dag_import_seconds",
            median(seconds),
            "s",
            "import of the DAG file, without Airflow's own; target: under 1",
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
