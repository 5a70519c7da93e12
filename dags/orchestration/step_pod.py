"""A step in a pod of its own: attached to again, never doubled, cleaned up, and quick to end."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodManager, PodPhase
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowException
from kubernetes.client import ApiException
from kubernetes.client import models as k8s

from orchestration.retry_policy import SIGKILLED, SIGTERMED, StepFailed

FAILED_PODS_KEPT = timedelta(days=3)
"""How long a failed pod stays for a look. Kubernetes has no such limit for pods without a Job."""

RUN_LABELS = {"run_id", "map_index"}
"""What tells the pods of a task's runs apart."""


class FastPodManager(PodManager):
    """Looks five times as often whether a pod has ended: the steps are seconds long."""

    INTERVAL_SECONDS = 0.2
    PATIENCE_SECONDS = 3.0
    """How much later than its log a pod's status may end before the usual way of waiting begins."""

    def container_is_running(self, pod: k8s.V1Pod, container_name: str) -> bool:
        """Whether it runs; asked at the log's end, which comes before the status says so."""
        running = super().container_is_running
        return all(running(pod, container_name) for _ in self._looks())

    def await_pod_completion(self, pod: k8s.V1Pod, *args: Any, **kwargs: Any) -> k8s.V1Pod:
        """Wait until the pod has ended."""
        for _ in self._looks():
            if self.read_pod(pod).status.phase in PodPhase.terminal_states:
                break
        return super().await_pod_completion(pod, *args, **kwargs)

    def _looks(self) -> Iterator[None]:
        until = time.monotonic() + self.PATIENCE_SECONDS
        yield
        while time.monotonic() < until:
            time.sleep(self.INTERVAL_SECONDS)
            yield


class StepPod(KubernetesPodOperator):
    """A step in a pod, which raises StepFailed as its subprocess would."""

    @cached_property
    def pod_manager(self) -> PodManager:
        """The operator's way to read pods."""
        return FastPodManager(kube_client=self.client, callbacks=self.callbacks)

    def get_or_create_pod(self, pod_request_obj: k8s.V1Pod, context: Context) -> k8s.V1Pod:
        """Attach to the pod that an earlier try left running, or start one when none runs.

        The operator attaches to a running pod by itself, but starts a second one beside a pod
        whose try has failed, and attaches to a pod that is about to end.
        """
        namespace = pod_request_obj.metadata.namespace
        self._delete_old_pods(namespace, context)
        while abandoned := self._abandoned_pods(namespace, context):
            for pod in abandoned:
                if not pod.metadata.deletion_timestamp:
                    self.pod_manager.delete_pod(pod)
            self.log.info("Waiting for the end of %s", [pod.metadata.name for pod in abandoned])
            time.sleep(1)
        return super().get_or_create_pod(pod_request_obj, context)

    def cleanup(
        self,
        pod: k8s.V1Pod,
        remote_pod: k8s.V1Pod,
        xcom_result: dict[str, Any] | None = None,
        context: Context | None = None,
    ) -> None:
        """Clean up as the operator does, and tell the retry policy the exit code."""
        try:
            super().cleanup(pod, remote_pod, xcom_result=xcom_result, context=context)
        except AirflowException as error:
            exit_code = self._end(remote_pod)
            if exit_code is None:
                raise
            raise StepFailed(str(error), exit_code) from error
        if self._killed:
            # The operator would call it a success: its pod was deleted, as it was told to.
            raise StepFailed("The task was told to end before its step had.", SIGTERMED)

    def _end(self, pod: k8s.V1Pod) -> int | None:
        """Make sure that a failed task's pod runs no longer; its exit code, if it had begun."""
        try:
            now = self.pod_manager.read_pod(pod)
        except ApiException as error:
            if error.status == 404:
                return SIGKILLED
            raise
        if not has_ended(now):
            self.pod_manager.delete_pod(now)
        return exit_code_of(now, self.base_container_name)

    def _pods_of(self, namespace: str, labels: dict[str, str]) -> list[k8s.V1Pod]:
        selector = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
        pods: list[k8s.V1Pod] = self.client.list_namespaced_pod(
            namespace, label_selector=selector
        ).items
        return pods

    def _abandoned_pods(self, namespace: str, context: Context) -> list[k8s.V1Pod]:
        """Pods of this very task and run that no try will look at again."""
        labels = self._get_ti_pod_labels(context, include_try_number=False)
        return [pod for pod in self._pods_of(namespace, labels) if is_abandoned(pod)]

    def _delete_old_pods(self, namespace: str, context: Context) -> None:
        """Delete the failed pods that this task's earlier runs have left."""
        labels = self._get_ti_pod_labels(context, include_try_number=False)
        of_all_runs = {name: labels[name] for name in labels.keys() - RUN_LABELS}
        for pod in self._pods_of(namespace, of_all_runs):
            if is_old(pod, datetime.now(UTC)):
                self.pod_manager.delete_pod(pod)


def exit_code_of(pod: k8s.V1Pod, container: str) -> int | None:
    """The exit code of a pod's container; None where it has not ended."""
    for status in pod.status.container_statuses or []:
        if status.name == container and status.state and status.state.terminated:
            return int(status.state.terminated.exit_code)
    return None


def has_ended(pod: k8s.V1Pod) -> bool:
    """Whether none of the pod's containers runs or will run."""
    return pod.status.phase in PodPhase.terminal_states


def is_abandoned(pod: k8s.V1Pod) -> bool:
    """Whether a pod still runs although its try has failed, or is about to end."""
    checked = (pod.metadata.labels or {}).get(KubernetesPodOperator.POD_CHECKED_KEY) == "True"
    return not has_ended(pod) and (checked or pod.metadata.deletion_timestamp is not None)


def is_old(pod: k8s.V1Pod, now: datetime) -> bool:
    """Whether a pod has failed so long ago that nobody will look at it."""
    return has_ended(pod) and now - pod.metadata.creation_timestamp > FAILED_PODS_KEPT
