"""`make up`: run S3, the API and Airflow with its schedule until Ctrl-C."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress

import httpx

from local.environment import DAG_ID, StateDirectory, with_defaults
from local.processes import LOOPBACK, Command, Service, program, require_free, running
from local.session import Progress, Session, running_api, running_session
from local.supervisor import Interrupted

AIRFLOW_PORT = 8080
API_PORT = 8000
S3_PORT = 9000
WATCH_SECONDS = 1.0

# `airflow standalone` starts the same, but some of its parts serve logs on every interface.
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


def run_up(inherited: Mapping[str, str], state: StateDirectory) -> int:
    """Run everything until a signal. Return 0, because a signal is the expected end.

    Raises:
        StepError: a service ends by itself.
    """
    require_free(AIRFLOW_PORT, "Airflow")
    require_free(API_PORT, "the API")
    with foreground():
        try:
            _run_until_interrupted(inherited, state, Progress(sys.stdout))
        except Interrupted:
            print("nothing is left running", flush=True)
    return 0


def _run_until_interrupted(
    inherited: Mapping[str, str], state: StateDirectory, progress: Progress
) -> None:
    with (
        running_session(inherited, state, progress, s3_port=S3_PORT) as session,
        running_api(session.environment, API_PORT, state.log("api")) as api,
        running_airflow(session, AIRFLOW_PORT) as airflow,
    ):
        progress.done("Airflow and its schedule started")
        print(
            f"""
Airflow  http://{LOOPBACK}:{AIRFLOW_PORT}  user admin, password \
{session.credentials.airflow_password}
API      {api.address}  (GET /weather/summary, /docs)
S3       {session.environment["AWS_ENDPOINT_URL"]}  (`make shell` has its keys)
logs     {state.logs}

{session.attribution}

Ctrl-C ends all of it.""",
            flush=True,
        )
        try:
            while True:
                session.require_running()
                for service in (api.service, *airflow):
                    service.require_running()
                time.sleep(WATCH_SECONDS)
        except Interrupted:
            print("\nending all services, which takes some seconds ...", flush=True)
            raise


@contextmanager
def running_airflow(session: Session, port: int) -> Iterator[list[Service]]:
    """Run Airflow's components inside the `with`, with the DAG's schedule on."""
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
        services = {}
        for name, options in COMPONENTS.items():
            arguments, log = (
                [program("airflow"), name, *options],
                session.state.log(f"airflow-{name}"),
            )
            command = Command(f"airflow {name}", arguments, environment, log)
            services[name] = stack.enter_context(running(command))
        for name, service in services.items():
            service.wait_until(_health_check(name, address))
        password = session.credentials.airflow_password
        services["dag-processor"].wait_until(lambda: _unpause(address, password))
        yield list(services.values())


def _health_check(component: str, address: str) -> Callable[[], bool]:
    """Return a check of the component in the health report of Airflow's API server."""
    part = {"api-server": "metadatabase"}.get(component, component.replace("-", "_"))

    def is_healthy() -> bool:
        try:
            report = httpx.get(f"{address}/api/v2/monitor/health", timeout=5, trust_env=False)
            return bool(report.json()[part]["status"] == "healthy")
        except (httpx.HTTPError, ValueError, KeyError):
            return False

    return is_healthy


def _unpause(address: str, password: str) -> bool:
    """Unpause the DAG. Return False if Airflow has not parsed it yet."""
    user = {"username": "admin", "password": password}
    with (
        suppress(httpx.HTTPError),
        httpx.Client(base_url=address, timeout=10, trust_env=False) as client,
    ):
        token = client.post("/auth/token", json=user).raise_for_status().json()["access_token"]
        client.patch(
            f"/api/v2/dags/{DAG_ID}",
            json={"is_paused": False},
            headers={"Authorization": f"Bearer {token}"},
        ).raise_for_status()
        return True
    return False


@contextmanager
def foreground() -> Iterator[None]:
    """Make this process the terminal's foreground process group inside the `with`.

    Otherwise Ctrl-C would reach `make` too, which then ends with an error.
    """
    if not sys.stdin.isatty() or os.tcgetpgrp(0) != os.getpgrp() or os.getpid() == os.getpgrp():
        yield
        return
    group = os.getpgrp()
    # A background process that calls tcsetpgrp is stopped, unless it ignores SIGTTOU.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    # Ctrl-Z would stop this process and not `make`, and leave a terminal without a reader.
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
    try:
        yield
    finally:
        os.tcsetpgrp(0, group)
