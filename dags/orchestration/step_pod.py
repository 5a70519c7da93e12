"""Operator of a step's pod: reattaches, never starts a second pod, and cleans up."""

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
"""Age at which failed pods are deleted. Kubernetes has no TTL for pods without a Job."""

RUN_LABELS = {"run_id", "map_index"}
"""Labels that differ between the runs of a task."""


class FastPodManager(PodManager):
    """Polls a pod's status five times as often as the operator, because steps take seconds."""

    POLL_SECONDS = 0.2
    POLL_FOR_SECONDS = 3.0
    """Time to poll fast after the end of the log, before the operator's own polling starts."""

    def container_is_running(self, pod: k8s.V1Pod, container_name: str) -> bool:
        """Return whether the container runs. Poll fast, because its log ends before its status."""
        running = super().container_is_running
        return all(running(pod, container_name) for _ in self._polls())

    def await_pod_completion(self, pod: k8s.V1Pod, *args: Any, **kwargs: Any) -> k8s.V1Pod:
        """Wait until the pod has ended, polling fast at first."""
        for _ in self._polls():
            if self.read_pod(pod).status.phase in PodPhase.terminal_states:
                break
        return super().await_pod_completion(pod, *args, **kwargs)

    def _polls(self) -> Iterator[None]:
        until = time.monotonic() + self.POLL_FOR_SECONDS
        yield
        while time.monotonic() < until:
            time.sleep(self.POLL_SECONDS)
            yield


class StepPod(KubernetesPodOperator):
    """Operator that runs a step in a pod, and raises StepFailed with the pod's exit code."""

    @cached_property
    def pod_manager(self) -> PodManager:
        """Return the manager by which the operator reads pods."""
        return FastPodManager(kube_client=self.client, callbacks=self.callbacks)

    def get_or_create_pod(self, pod_request_obj: k8s.V1Pod, context: Context) -> k8s.V1Pod:
        """Reattach to the running pod of an earlier try, or start a pod if no pod runs.

        KubernetesPodOperator starts a second pod beside a pod whose try has failed, and reattaches
        to a pod that is being deleted. Both are deleted here first.
        """
        namespace = pod_request_obj.metadata.namespace
        self._delete_old_pods(namespace, context)
        while abandoned := self._abandoned_pods(namespace, context):
            for pod in abandoned:
                if not pod.metadata.deletion_timestamp:
                    self.pod_manager.delete_pod(pod)
            names = [pod.metadata.name for pod in abandoned]
            self.log.info("Waiting for the end of abandoned pods: %s", names)
            time.sleep(1)
        return super().get_or_create_pod(pod_request_obj, context)

    def cleanup(
        self,
        pod: k8s.V1Pod,
        remote_pod: k8s.V1Pod,
        xcom_result: dict[str, Any] | None = None,
        context: Context | None = None,
    ) -> None:
        """Clean up after the pod. Raise StepFailed with its exit code if the step has failed."""
        try:
            super().cleanup(pod, remote_pod, xcom_result=xcom_result, context=context)
        except AirflowException as error:
            exit_code = self._end(remote_pod)
            if exit_code is None:
                raise
            raise StepFailed(str(error), exit_code) from error
        if self._killed:
            # The operator reports success for a pod that on_kill has deleted.
            raise StepFailed("The task was terminated before its step ended.", SIGTERMED)

    def _end(self, pod: k8s.V1Pod) -> int | None:
        """End a failed task's pod, and return the exit code. None if the container never ran."""
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
        """Return pods of this task and run that no try will read again."""
        labels = self._get_ti_pod_labels(context, include_try_number=False)
        return [pod for pod in self._pods_of(namespace, labels) if is_abandoned(pod)]

    def _delete_old_pods(self, namespace: str, context: Context) -> None:
        """Delete old failed pods of this task's runs."""
        labels = self._get_ti_pod_labels(context, include_try_number=False)
        of_all_runs = {name: labels[name] for name in labels.keys() - RUN_LABELS}
        for pod in self._pods_of(namespace, of_all_runs):
            if is_old(pod, datetime.now(UTC)):
                self.pod_manager.delete_pod(pod)


def exit_code_of(pod: k8s.V1Pod, container: str) -> int | None:
    """Return the exit code of a pod's container, or None while it has not ended."""
    for status in pod.status.container_statuses or []:
        if status.name == container and status.state and status.state.terminated:
            return int(status.state.terminated.exit_code)
    return None


def has_ended(pod: k8s.V1Pod) -> bool:
    """Return whether the pod is in a terminal phase."""
    return pod.status.phase in PodPhase.terminal_states


def is_abandoned(pod: k8s.V1Pod) -> bool:
    """Return whether a pod still runs although its try has failed, or is being deleted."""
    checked = (pod.metadata.labels or {}).get(KubernetesPodOperator.POD_CHECKED_KEY) == "True"
    return not has_ended(pod) and (checked or pod.metadata.deletion_timestamp is not None)


def is_old(pod: k8s.V1Pod, now: datetime) -> bool:
    """Return whether a pod has ended and was created before the period for inspection."""
    return has_ended(pod) and now - pod.metadata.creation_timestamp > FAILED_PODS_KEPT
