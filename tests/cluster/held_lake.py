"""Lock the lake's catalog, so that a short step waits in the middle of its work."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from kubernetes import client

from tests.cluster.namespaces import WEATHER
from tests.cluster.pod_watch import PodWatch, of_task, running
from tests.cluster.system import System
from tests.cluster.waiting import wait_for

SECONDS_TO_REACH_A_STEP = 180
SECONDS_TO_TOUCH_THE_LAKE = 60
SECONDS_AT_MOST = 120
HOLDER = "cluster-test"


@contextmanager
def held_at_work(
    system: System, pods: PodWatch, run_id: str, task_id: str
) -> Iterator[client.V1Pod]:
    """Yield a step's pod, which waits for the lake until the block ends."""
    step = of_task(WEATHER, run_id, task_id)
    pods.await_event(f"{task_id} has a pod", step, SECONDS_TO_REACH_A_STEP)
    hold = f"BEGIN; LOCK ducklake_metadata; SELECT pg_sleep({SECONDS_AT_MOST})"
    holder = subprocess.Popen(psql(hold), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        pod = pods.await_event(
            f"the pod of {task_id} runs", running(step), SECONDS_TO_REACH_A_STEP
        ).pod
        wait_for(
            f"{task_id} waits for the lake",
            lambda: query(_waiting_from(pod.status.pod_ip)) != "0",
            SECONDS_TO_TOUCH_THE_LAKE,
            system.cluster.picture,
        )
        yield pod
    finally:
        # A killed Postgres has released the lock.
        query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE application_name = '{HOLDER}' AND pid <> pg_backend_pid()"
        )
        holder.kill()
        holder.wait()


def psql(statement: str) -> list[str]:
    """Return the command that runs a statement in the lake's catalog, in Postgres's pod."""
    place = ["kubectl", "exec", "--namespace", WEATHER, "weather-postgres-0", "--"]
    connection = f"user=postgres dbname=lake application_name={HOLDER}"
    return [*place, "psql", "--no-align", "--tuples-only", f"--command={statement}", connection]


def query(statement: str) -> str:
    """Return Postgres's output, or an empty string after an error."""
    ended = subprocess.run(psql(statement), capture_output=True, text=True, check=False)
    return ended.stdout.strip()


def _waiting_from(address: str) -> str:
    return (
        "SELECT count(*) FROM pg_stat_activity"
        f" WHERE wait_event_type = 'Lock' AND client_addr = '{address}'"
    )
