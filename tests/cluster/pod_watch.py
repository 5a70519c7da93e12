"""Record every change of the pods, because Airflow deletes pods that succeed."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kubernetes import client, watch
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from tests.cluster.connection import Cluster, is_running
from tests.cluster.namespaces import AIRFLOW, WEATHER
from tests.cluster.waiting import WaitTimeoutError

SECONDS_OF_ONE_WATCH = 2
SECONDS_AFTER_A_LOSS = 0.5
GONE = 410
DELETED = "DELETED"


@dataclass(frozen=True)
class PodEvent:
    """A change of a pod, with the pod's state after the change."""

    at: float
    """Seconds since the epoch, by this machine's clock."""
    kind: str
    """ADDED, MODIFIED or DELETED."""
    pod: client.V1Pod

    @property
    def uid(self) -> str:
        """The pod's uid, which is unique, unlike its name."""
        return str(self.pod.metadata.uid)

    @property
    def labels(self) -> dict[str, str]:
        """The pod's labels."""
        return self.pod.metadata.labels or {}


Selection = Callable[[PodEvent], bool]


class PodWatch:
    """Recorded changes in their order."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._events: list[PodEvent] = []
        self._changed = threading.Condition()
        self._stopped = threading.Event()

    def events(self, selection: Selection) -> list[PodEvent]:
        """Return the selected changes."""
        with self._changed:
            return [each for each in self._events if selection(each)]

    def await_event(self, what: str, selection: Selection, seconds: float) -> PodEvent:
        """Return the first selected change, recorded or future.

        Raises:
            WaitTimeoutError: no such change before the time limit.
        """
        deadline = time.monotonic() + seconds
        looked_at = 0
        with self._changed:
            while True:
                for event in self._events[looked_at:]:
                    if selection(event):
                        return event
                looked_at = len(self._events)
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
        raise WaitTimeoutError(
            f"{what}: timed out after {seconds:.0f} s. Current state:\n{self._cluster.picture()}"
        )

    def stop(self) -> None:
        """Stop recording. The threads end within seconds."""
        self._stopped.set()

    def newest_version(self, namespace: str) -> str:
        """Return the resource version from which `follow` misses no change."""
        pods = self._cluster.core.list_namespaced_pod(namespace, limit=1)
        return str(pods.metadata.resource_version)

    def follow(self, namespace: str, version: str) -> None:
        """Record every change of the namespace's pods after that version until `stop`."""
        while not self._stopped.is_set():
            stream = watch.Watch().stream(
                self._cluster.core.list_namespaced_pod,
                namespace,
                resource_version=version,
                timeout_seconds=SECONDS_OF_ONE_WATCH,
            )
            try:
                for event in stream:
                    pod = event["object"]
                    version = pod.metadata.resource_version
                    self._keep(PodEvent(time.time(), event["type"], pod))
            except ApiException as error:
                if error.status != GONE:
                    raise
                version = self.newest_version(namespace)
            except HTTPError:
                # A busy machine may lose the connection: continue from the last change.
                time.sleep(SECONDS_AFTER_A_LOSS)

    def _keep(self, event: PodEvent) -> None:
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()


@contextmanager
def watched_pods(cluster: Cluster) -> Iterator[PodWatch]:
    """Watch both namespaces during the block."""
    pod_watch = PodWatch(cluster)
    threads = [
        threading.Thread(
            target=pod_watch.follow,
            args=[namespace, pod_watch.newest_version(namespace)],
            daemon=True,
        )
        for namespace in (WEATHER, AIRFLOW)
    ]
    for thread in threads:
        thread.start()
    try:
        yield pod_watch
    finally:
        pod_watch.stop()
        for thread in threads:
            thread.join(SECONDS_OF_ONE_WATCH + 10)


def of_task(namespace: str, run_id: str, task_id: str) -> Selection:
    """Select the pods of a run's task: the step's pod in WEATHER, the worker's in AIRFLOW."""

    def selected(event: PodEvent) -> bool:
        labels = event.labels
        return (
            event.pod.metadata.namespace == namespace
            and labels.get("run_id") == run_id
            and labels.get("task_id") == task_id
        )

    return selected


def running(selection: Selection) -> Selection:
    """Restrict a selection to running pods."""
    return lambda event: selection(event) and is_running(event.pod)
