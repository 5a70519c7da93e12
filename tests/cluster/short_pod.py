"""Run a Python program in a pod with one of the project's images."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from uuid import uuid4

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from tests.cluster.connection import Cluster
from tests.cluster.waiting import wait_for

USER = 10001
SECONDS_TO_START = 60
SECONDS_TO_END = 60


class ShortPod:
    """A started pod."""

    def __init__(self, cluster: Cluster, namespace: str, name: str) -> None:
        self._cluster = cluster
        self.namespace = namespace
        self.name = name

    def phase(self) -> str:
        """Return Pending, Running, Succeeded or Failed."""
        return str(self._cluster.core.read_namespaced_pod(self.name, self.namespace).status.phase)

    def await_start(self) -> None:
        """Wait until the pod runs or has ended."""
        self._await({"Running", "Succeeded", "Failed"}, SECONDS_TO_START)

    def terminate(self) -> None:
        """Send SIGTERM to the program."""
        program = "import os, signal; os.kill(1, signal.SIGTERM)"
        subprocess.run(
            ["kubectl", "exec", "-n", self.namespace, self.name, "--", "python", "-c", program],
            check=True,
            capture_output=True,
        )

    def output(self) -> str:
        """Wait until the pod has succeeded, and return its log."""
        self._await({"Succeeded", "Failed"}, SECONDS_TO_END)
        response = self._cluster.core.read_namespaced_pod_log(
            self.name, self.namespace, _preload_content=False
        )
        log = bytes(response.data).decode()
        assert self.phase() == "Succeeded", log
        return log

    def _await(self, phases: set[str], seconds: float) -> None:
        wait_for(
            f"pod {self.name} is {' or '.join(sorted(phases))}",
            lambda: self.phase() in phases,
            seconds,
            self._cluster.picture,
        )


@contextmanager
def short_pod(
    cluster: Cluster,
    namespace: str,
    *,
    image: str,
    command: Sequence[str],
    labels: Mapping[str, str] | None = None,
    settings: Sequence[str] = (),
    secrets: Sequence[str] = (),
) -> Iterator[ShortPod]:
    """Start a pod, and delete it at the end of the block.

    Args:
        cluster: the cluster.
        namespace: the pod's namespace.
        image: image with its tag.
        command: the container's command.
        labels: the pod's labels, which NetworkPolicies select.
        settings: names of the ConfigMaps for its environment.
        secrets: names of the Secrets for its environment.
    """
    name = f"cluster-test-{uuid4().hex[:8]}"
    sources = [
        *(
            client.V1EnvFromSource(config_map_ref=client.V1ConfigMapEnvSource(name=each))
            for each in settings
        ),
        *(
            client.V1EnvFromSource(secret_ref=client.V1SecretEnvSource(name=each))
            for each in secrets
        ),
    ]
    container = client.V1Container(
        name="program",
        image=image,
        image_pull_policy="IfNotPresent",
        command=list(command),
        env_from=sources,
        resources=client.V1ResourceRequirements(
            requests={"cpu": "20m", "memory": "64Mi", "ephemeral-storage": "16Mi"},
            limits={"cpu": "1", "memory": "512Mi", "ephemeral-storage": "64Mi"},
        ),
        security_context=client.V1SecurityContext(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=client.V1Capabilities(drop=["ALL"]),
        ),
        volume_mounts=[client.V1VolumeMount(name="scratch", mount_path="/tmp")],
    )
    pod = client.V1Pod(
        metadata=client.V1ObjectMeta(name=name, namespace=namespace, labels=dict(labels or {})),
        spec=client.V1PodSpec(
            containers=[container],
            restart_policy="Never",
            automount_service_account_token=False,
            security_context=client.V1PodSecurityContext(
                run_as_non_root=True,
                run_as_user=USER,
                run_as_group=USER,
                fs_group=USER,
                seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
            ),
            volumes=[
                client.V1Volume(
                    name="scratch", empty_dir=client.V1EmptyDirVolumeSource(size_limit="64Mi")
                )
            ],
        ),
    )
    cluster.core.create_namespaced_pod(namespace, pod)
    try:
        yield ShortPod(cluster, namespace, name)
    finally:
        with suppress(ApiException):
            cluster.core.delete_namespaced_pod(name, namespace, grace_period_seconds=0)
