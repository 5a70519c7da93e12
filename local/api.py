"""The API as a service of this machine."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.health import responds
from local.ports import LOOPBACK
from local.processes import Command, Service, python_module, running


@dataclass(frozen=True)
class RunningApi:
    """Where the API answers, and its service."""

    address: str
    service: Service


@contextmanager
def running_api(environment: Mapping[str, str], port: int, log: Path) -> Iterator[RunningApi]:
    """An API that answers on `port` inside the `with`."""
    address = f"http://{LOOPBACK}:{port}"
    serve = python_module("api", "--host", LOOPBACK, "--port", str(port), "--drain-seconds", "0")
    command = Command("the API", serve, environment, log)
    with running(command) as service:
        service.wait_until(lambda: responds(f"{address}/healthz"))
        yield RunningApi(address, service)
