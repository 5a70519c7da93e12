"""Airflow with its schedule: the processes that `airflow standalone` starts.

Standalone itself makes some of them serve logs on every interface of the machine.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import httpx

from local.dag_run import DAG
from local.environment import with_defaults
from local.ports import LOOPBACK
from local.processes import Command, Service, program, running
from local.session import Session

COMPONENTS = {
    "api-server": (),
    "dag-processor": (),
    "scheduler": ("--skip-serve-logs",),
    "triggerer": ("--skip-serve-logs",),
}

FOR_ONE_USER = {
    "AIRFLOW__API__WORKERS": "1",
    "AIRFLOW__CORE__PARALLELISM": "4",
    "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
}


@dataclass(frozen=True)
class RunningAirflow:
    """Where Airflow's page is, and its services."""

    address: str
    services: tuple[Service, ...]


@contextmanager
def running_airflow(session: Session, port: int) -> Iterator[RunningAirflow]:
    """Airflow inside the `with`, ready for its user `admin` and with the DAG's schedule on."""
    address = f"http://{LOOPBACK}:{port}"
    environment = with_defaults(
        session.environment,
        {
            **FOR_ONE_USER,
            "AIRFLOW__API__BASE_URL": address,
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        },
    )
    with ExitStack() as stack:
        services = {
            name: stack.enter_context(
                running(
                    Command(
                        f"airflow {name}",
                        [program("airflow"), name, *options],
                        environment,
                        session.state.log(f"airflow-{name}"),
                    )
                )
            )
            for name, options in COMPONENTS.items()
        }
        for name, service in services.items():
            service.wait_until(_health_of(name, address))
        password = session.credentials.airflow_password
        services["dag-processor"].wait_until(lambda: _unpause(address, password))
        yield RunningAirflow(address, tuple(services.values()))


def _health_of(component: str, address: str) -> Callable[[], bool]:
    """Whether Airflow's own health report calls a component healthy; the API server gives it."""
    part = {"api-server": "metadatabase"}.get(component, component.replace("-", "_"))

    def is_healthy() -> bool:
        try:
            report = httpx.get(f"{address}/api/v2/monitor/health", timeout=5, trust_env=False)
            return bool(report.json()[part]["status"] == "healthy")
        except (httpx.HTTPError, ValueError, KeyError):
            return False

    return is_healthy


def _unpause(address: str, password: str) -> bool:
    """Switch the DAG's schedule on; whether the DAG was there already."""
    user = {"username": "admin", "password": password}
    with (
        suppress(httpx.HTTPError),
        httpx.Client(base_url=address, timeout=10, trust_env=False) as client,
    ):
        token = client.post("/auth/token", json=user).raise_for_status().json()["access_token"]
        client.patch(
            f"/api/v2/dags/{DAG}",
            json={"is_paused": False},
            headers={"Authorization": f"Bearer {token}"},
        ).raise_for_status()
        return True
    return False
