"""The installed system, shared by all tests of this folder. `make cluster-test` installs it."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kubernetes.config import ConfigException

from tests.cluster.airflow import Airflow
from tests.cluster.connection import connect, is_ready
from tests.cluster.forward import forwarded
from tests.cluster.namespaces import AIRFLOW, WEATHER
from tests.cluster.pod_watch import PodWatch, watched_pods
from tests.cluster.system import System
from tests.cluster.waiting import wait_for

SECONDS_TO_GET_READY = 300
SERVICES = "!run_id,!job-name"
"""Label selector of the services' pods, without the pods of tasks and jobs."""


@dataclass(frozen=True)
class WatchedRun:
    """A successful run, and every change of the pods during it."""

    run_id: str
    triggered: float
    """Time of the trigger in seconds since the epoch."""
    pods: PodWatch


@pytest.fixture(scope="session")
def system(duckdb_extensions: Path) -> Iterator[System]:
    """The system of kubectl's current context, with its services ready."""
    try:
        cluster = connect()
    except ConfigException as error:
        pytest.exit(f"kubectl has no current context ({error}): run `make cluster-test`.", 1)
    wait_for(
        "all services are ready",
        lambda: all(
            is_ready(pod)
            for namespace in (WEATHER, AIRFLOW)
            for pod in cluster.pods(namespace, SERVICES)
        ),
        SECONDS_TO_GET_READY,
        cluster.picture,
    )
    with (
        pytest.MonkeyPatch.context() as environment,
        forwarded(AIRFLOW, "airflow-api-server", 8080) as forward,
    ):
        for name in list(os.environ):
            if name.startswith(("WEATHER_", "LAKE_", "AWS_")):
                environment.delenv(name)
        environment.setenv("DUCKDB_EXTENSION_DIRECTORY", str(duckdb_extensions))
        login = cluster.secret("weather-airflow-login", AIRFLOW)
        yield System(cluster, Airflow(forward, login))


@pytest.fixture
def pods(system: System) -> Iterator[PodWatch]:
    """Record every change of the pods until the test's end."""
    with watched_pods(system.cluster) as pod_watch:
        yield pod_watch


@pytest.fixture(scope="session")
def finished_run(system: System) -> WatchedRun:
    """A run triggered by Airflow's REST API."""
    system.settle()
    with watched_pods(system.cluster) as pod_watch:
        triggered = time.time()
        run_id = system.trigger("plain")
        system.await_success(run_id)
    return WatchedRun(run_id, triggered, pod_watch)


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Folder of screenshots: CLUSTER_TEST_ARTIFACTS, or beside the tests."""
    folder = Path(os.environ.get("CLUSTER_TEST_ARTIFACTS", Path(__file__).with_name("artifacts")))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
