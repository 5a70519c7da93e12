"""Pod specification of the steps: image, resources, secrets, security and deadlines."""

from datetime import timedelta
from typing import Any

from kubernetes.client import models as k8s

from weather.settings import KubernetesSettings

DISK = "ephemeral-storage"
"""Kubernetes resource of a pod's scratch files and log; its limit sizes the scratch volume."""

RESOURCES = {
    # Ephemeral storage holds a log only.
    "ingest": k8s.V1ResourceRequirements(
        requests={"cpu": "100m", "memory": "128Mi", DISK: "16Mi"},
        limits={"cpu": "1", "memory": "512Mi", DISK: "128Mi"},
    ),
    # dbt's target folder takes 1.4 MB, temporary files of models and maintenance the rest.
    "dbt": k8s.V1ResourceRequirements(
        requests={"cpu": "200m", "memory": "512Mi", DISK: "64Mi"},
        limits={"cpu": "2", "memory": "2Gi", DISK: "4Gi"},
    ),
}

SECRETS = {
    "ingest": ["weather-store-ingest"],
    "dbt": ["weather-store-dbt", "weather-lake-dbt"],
}
"""Secrets whose keys become the pod's environment; the pod does not start without them."""

OPTIONAL_SECRETS = {"ingest": ["weather-source"], "dbt": []}

DEADLINE = timedelta(minutes=30)
"""Time after which Kubernetes ends a pod, even one that Airflow no longer tracks."""

GRACE_SECONDS = 5
"""Termination grace period, short because a step can be killed at any moment."""


def pod_arguments(
    image: str, settings: KubernetesSettings, *, env: dict[str, str], **labels: str
) -> dict[str, Any]:
    """Return KubernetesPodOperator's arguments for a pod of one of the project's images.

    Args:
        image: name of the folder in images/.
        settings: namespace and image tag.
        env: environment variables, with templates; passwords come from Secrets.
        labels: further labels `weather/<name>`, with templates.
    """
    return {
        "namespace": settings.weather_namespace,
        "image": f"{settings.weather_image_prefix}{image}:{settings.weather_image_tag}",
        # A pinned tag never changes, and a cluster without a registry cannot pull.
        "image_pull_policy": "IfNotPresent",
        "in_cluster": True,
        "env_vars": [k8s.V1EnvVar(name=name, value=value) for name, value in env.items()],
        "env_from": _environment_of(image),
        "labels": {
            "app.kubernetes.io/part-of": "weather-pipeline",
            "weather/step": image,
            **{f"weather/{name}": value for name, value in labels.items()},
        },
        "container_resources": RESOURCES[image],
        # The chart gives this account the registry's pull secrets.
        "service_account_name": "weather-steps",
        "automount_service_account_token": False,
        "security_context": k8s.V1PodSecurityContext(
            run_as_non_root=True,
            run_as_user=10001,
            run_as_group=10001,
            fs_group=10001,
            seccomp_profile=k8s.V1SeccompProfile(type="RuntimeDefault"),
        ),
        "container_security_context": k8s.V1SecurityContext(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=k8s.V1Capabilities(drop=["ALL"]),
        ),
        # The root file system is read-only, and dbt and DuckDB write scratch files.
        "volumes": [
            k8s.V1Volume(
                name="scratch",
                empty_dir=k8s.V1EmptyDirVolumeSource(size_limit=RESOURCES[image].limits[DISK]),
            )
        ],
        "volume_mounts": [k8s.V1VolumeMount(name="scratch", mount_path="/tmp")],  # noqa: S108 (the pod's own)
        "active_deadline_seconds": int(DEADLINE.total_seconds()),
        "termination_grace_period": GRACE_SECONDS,
        "startup_timeout_seconds": 300,
        "startup_check_interval_seconds": 0.5,
        "get_logs": True,
        # Reading events would list all events of the namespace twice a second.
        "log_events_on_startup": False,
        "log_events_on_failure": True,
        # `kubectl describe` and the task's log show a failed step's last line.
        "termination_message_policy": "FallbackToLogsOnError",
        "log_pod_spec_on_failure": False,
        # A failed pod stays for inspection until StepPod deletes it.
        "on_finish_action": "delete_succeeded_pod",
        # Steps pass data through the store. The XCom sidecar fails in restricted namespaces
        # (apache/airflow#49276).
        "do_xcom_push": False,
    }


def _environment_of(image: str) -> list[k8s.V1EnvFromSource]:
    return [
        k8s.V1EnvFromSource(config_map_ref=k8s.V1ConfigMapEnvSource(name="weather-settings")),
        *(
            k8s.V1EnvFromSource(secret_ref=k8s.V1SecretEnvSource(name=name))
            for name in SECRETS[image]
        ),
        *(
            k8s.V1EnvFromSource(secret_ref=k8s.V1SecretEnvSource(name=name, optional=True))
            for name in OPTIONAL_SECRETS[image]
        ),
    ]
