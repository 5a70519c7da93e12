"""Fake Kubernetes API with the calls that the pod operator makes."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from kubernetes.client import ApiClient, ApiException
from kubernetes.client import models as k8s

NOW = datetime.now(UTC)
RUN = {"dag_id": "weather_pipeline", "run_id": "now", "task_id": "publish"}
"""Labels of a pod of the tested task and run."""


def pod(
    name: str,
    phase: str,
    *,
    exit_code: int | None = None,
    checked: bool = False,
    terminating: bool = False,
    made: datetime = NOW,
    **labels: str,
) -> k8s.V1Pod:
    ended = None
    if exit_code is not None:
        ended = k8s.V1ContainerStateTerminated(exit_code=exit_code)
    status = k8s.V1ContainerStatus(
        name="base",
        image="",
        image_id="",
        ready=False,
        restart_count=0,
        state=k8s.V1ContainerState(terminated=ended),
    )
    return k8s.V1Pod(
        metadata=k8s.V1ObjectMeta(
            name=name,
            namespace="weather",
            creation_timestamp=made,
            deletion_timestamp=NOW if terminating else None,
            labels={
                **RUN,
                "kubernetes_pod_operator": "True",
                "try_number": "1",
                **({"already_checked": "True"} if checked else {}),
                **labels,
            },
        ),
        spec=k8s.V1PodSpec(containers=[k8s.V1Container(name="base")]),
        status=k8s.V1PodStatus(phase=phase, container_statuses=[status]),
    )


class Cluster:
    """Fake API server. A deleted pod disappears after two more lists."""

    def __init__(self, *pods: k8s.V1Pod) -> None:
        self.pods = {each.metadata.name: each for each in pods}
        self.lists = {each.metadata.name: 2 for each in pods if each.metadata.deletion_timestamp}
        self.made: list[tuple[str, list[str]]] = []
        self.api_client = ApiClient()

    def list_namespaced_pod(self, namespace: str, label_selector: str) -> Any:
        for name in [name for name, left in self.lists.items() if left == 0]:
            self.pods.pop(name, None)
        self.lists = {name: max(left - 1, 0) for name, left in self.lists.items()}
        wanted = [term.partition("=") for term in label_selector.split(",")]
        return SimpleNamespace(
            items=[
                each
                for each in self.pods.values()
                if all(self._fits(each.metadata.labels, name, value) for name, _, value in wanted)
            ]
        )

    @staticmethod
    def _fits(labels: dict[str, str], name: str, value: str) -> bool:
        if name.startswith("!"):
            return name[1:] not in labels
        if name.endswith("!"):
            return labels.get(name[:-1]) != value
        return labels.get(name) == value

    def read_namespaced_pod(self, name: str, namespace: str) -> k8s.V1Pod:
        if name not in self.pods:
            raise ApiException(status=404)
        return self.pods[name]

    def delete_namespaced_pod(self, name: str, namespace: str, body: Any = None) -> None:
        ended = self.pods[name].status.phase in ("Succeeded", "Failed")
        self.pods[name].metadata.deletion_timestamp = NOW
        self.lists[name] = 0 if ended else 2

    def create_namespaced_pod(self, body: dict[str, Any], namespace: str) -> k8s.V1Pod:
        running = [name for name, each in self.pods.items() if each.status.phase == "Running"]
        self.made.append((body["metadata"]["name"], running))
        return pod(body["metadata"]["name"], "Pending")

    def patch_namespaced_pod(self, name: str, namespace: str, body: Any) -> None:
        self.read_namespaced_pod(name, namespace).metadata.labels.update(body["metadata"]["labels"])

    def list_namespaced_event(self, **_: Any) -> Any:
        return SimpleNamespace(items=[])
