"""The Kubernetes API of kubectl's current context."""

from base64 import b64decode
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kubernetes import client, config

from tests.cluster.namespaces import AIRFLOW, WEATHER

LAST_EVENTS = 12


@dataclass(frozen=True)
class Cluster:
    """Clients of the API groups in use."""

    api: client.ApiClient

    @cached_property
    def core(self) -> client.CoreV1Api:
        """Client for pods, services, Secrets and events."""
        return client.CoreV1Api(self.api)

    @cached_property
    def apps(self) -> client.AppsV1Api:
        """Client for Deployments and StatefulSets."""
        return client.AppsV1Api(self.api)

    def pods(self, namespace: str, labels: str = "") -> list[client.V1Pod]:
        """Return the pods that match the label selector."""
        pods: list[client.V1Pod] = self.core.list_namespaced_pod(
            namespace, label_selector=labels
        ).items
        return pods

    def secret(self, name: str, namespace: str = WEATHER) -> dict[str, str]:
        """Return a Secret's values by key."""
        data: dict[str, str] = self.core.read_namespaced_secret(name, namespace).data
        return {key: b64decode(value).decode() for key, value in data.items()}

    def settings(self, name: str, namespace: str = WEATHER) -> dict[str, str]:
        """Return a ConfigMap's values by key."""
        return dict(self.core.read_namespaced_config_map(name, namespace).data or {})

    def kill(self, pod: client.V1Pod) -> None:
        """Kill a pod's containers with the shortest grace period.

        With a grace period of 0 Kubernetes forgets the pod, whose containers then run for half a
        minute.
        """
        self.core.delete_namespaced_pod(
            pod.metadata.name, pod.metadata.namespace, grace_period_seconds=1
        )

    def picture(self) -> str:
        """Return the pods and the last warnings of both namespaces as readable lines."""
        lines = []
        for namespace in (WEATHER, AIRFLOW):
            lines += [_pod_line(pod) for pod in self.pods(namespace)]
            lines += self._warnings(namespace)
        return "\n".join(lines)

    def _warnings(self, namespace: str) -> list[str]:
        events = self.core.list_namespaced_event(namespace, field_selector="type=Warning").items
        events.sort(key=lambda event: str(event.last_timestamp or event.event_time))
        return [
            f"  {namespace}: {event.involved_object.name}: {event.reason}: "
            f"{_first_line(event.message)}"
            for event in events[-LAST_EVENTS:]
        ]


def connect() -> Cluster:
    """Connect by kubectl's current context.

    Raises:
        kubernetes.config.ConfigException: kubectl has no context.
    """
    return Cluster(config.new_client_from_config())


def is_ready(pod: client.V1Pod) -> bool:
    """Return whether the pod is ready and not being deleted."""
    conditions = pod.status.conditions or []
    return pod.metadata.deletion_timestamp is None and any(
        each.type == "Ready" and each.status == "True" for each in conditions
    )


def is_running(pod: client.V1Pod) -> bool:
    """Return whether all of the pod's containers run."""
    statuses = pod.status.container_statuses or []
    return bool(statuses) and all(each.state.running for each in statuses)


def has_ended(pod: client.V1Pod) -> bool:
    """Return whether the pod has succeeded or failed."""
    return pod.status.phase in {"Succeeded", "Failed"}


def _pod_line(pod: client.V1Pod) -> str:
    ready = "ready" if is_ready(pod) else "not ready"
    reasons = [_reason(status) for status in pod.status.container_statuses or []]
    return (
        f"  {pod.metadata.namespace}/{pod.metadata.name}: {pod.status.phase}, {ready}"
        f" {' '.join(reasons)}".rstrip()
    )


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]


def _reason(status: Any) -> str:
    ended = status.state.terminated or status.state.waiting
    restarts = f"restarts={status.restart_count}" if status.restart_count else ""
    return f"{ended.reason if ended else ''} {restarts}".strip()
