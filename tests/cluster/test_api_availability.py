"""Clients see no failure while the API's pods are replaced."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.cluster.conftest import WatchedRun
from tests.cluster.connection import is_ready
from tests.cluster.installation import installed_image
from tests.cluster.namespaces import WEATHER
from tests.cluster.short_pod import short_pod
from tests.cluster.system import System
from tests.cluster.waiting import wait_for

PROGRAM = Path(__file__).with_name("load_client.py").read_text(encoding="utf-8")
CLIENT = ["python", "-c", PROGRAM, f"weather-api.{WEATHER}", "80", "/weather/summary"]
API = "deployment/weather-api"
REPLICAS = 2
SECONDS_TO_BE_REPLACED = 120
REQUESTS_AT_LEAST = 500


def test_no_request_fails_during_pod_deletion_and_rollout(
    system: System, finished_run: WatchedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    before = ready_pods(system)
    assert len(before) == REPLICAS
    # The client's pod is in a namespace outside the system.
    with short_pod(
        system.cluster, "default", image=installed_image(system.cluster, "api"), command=CLIENT
    ) as load:
        load.await_start()
        for uid, name in before.items():
            system.cluster.core.delete_namespaced_pod(name, WEATHER)
            await_replaced(system, {uid})
        deleted_and_replaced = ready_pods(system)
        kubectl("rollout", "restart", API)
        kubectl("rollout", "status", API, f"--timeout={SECONDS_TO_BE_REPLACED}s")
        await_replaced(system, set(deleted_and_replaced))
        load.terminate()
        seen = json.loads(load.output().splitlines()[-1])
    with capsys.disabled():
        sent = seen["new"] + seen["kept"]
        print(
            f"\n{sent} requests while the API's pods were replaced, {seen.get('failed', 0)} failed"
        )
    assert seen["failures"] == []
    assert min(seen["new"], seen["kept"]) > REQUESTS_AT_LEAST
    assert seen["connections"] < seen["new"] + seen["kept"] / 2, "no connection was kept"


def ready_pods(system: System) -> dict[str, str]:
    """Return the names of the API's ready pods by uid."""
    return {
        pod.metadata.uid: pod.metadata.name
        for pod in system.cluster.pods(WEATHER)
        if pod.metadata.name.startswith("weather-api-") and is_ready(pod)
    }


def await_replaced(system: System, gone: set[str]) -> None:
    """Wait until these pods are gone and all replicas are ready."""

    def replaced() -> bool:
        there = {pod.metadata.uid for pod in system.cluster.pods(WEATHER)}
        return not there & gone and len(ready_pods(system)) == REPLICAS

    wait_for(
        "the API's pods are replaced", replaced, SECONDS_TO_BE_REPLACED, system.cluster.picture
    )


def kubectl(*arguments: str) -> None:
    subprocess.run(["kubectl", "--namespace", WEATHER, *arguments], check=True, capture_output=True)
