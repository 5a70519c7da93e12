"""What all pods of the pipeline have in common."""

from datetime import timedelta
from typing import Any

from kubernetes.client import models as k8s

from weather.settings import KubernetesSettings

DISK = "ephemeral-storage"
"""Kubernetes' name for a pod's scratch files and log; the limit is the scratch volume's, too."""

RESOURCES = {
    # Nothing but a log.
    "ingest": k8s.V1ResourceRequirements(
        requests={"cpu": "100m", "memory": "128Mi", DISK: "16Mi"},
        limits={"cpu": "1", "memory": "512Mi", DISK: "128Mi"},
    ),
    # dbt's target folder has 1.4 MB; the rest is for temporary files of a model or of upkeep.
    "dbt": k8s.V1ResourceRequirements(
        requests={"cpu": "200m", "memory": "512Mi", DISK: "64Mi"},
        limits={"cpu": "2", "memory": "2Gi", DISK: "4Gi"},
    ),
}

SECRETS = {
    "ingest": ["weather-store-ingest"],
    "dbt": ["weather-store-dbt", "weather-lake-dbt"],
}
"""The Secrets whose keys are an image's environment; without them its pods do not start."""

OPTIONAL_SECRETS = {"ingest": ["weather-source"], "dbt": []}

DEADLINE = timedelta(minutes=30)
"""How long a pod may run before Kubernetes ends it, even where Airflow has lost sight of it."""

GRACE_SECONDS = 5
"""How long a pod may take to end. A step can be killed at any moment, and nobody is to wait."""


def pod_arguments(
    image: str, settings: KubernetesSettings, *, env: dict[str, str], **labels: str
) -> dict[str, Any]:
    """The operator arguments of a pod that runs one of the project's images.

    Args:
        image: the folder's name below images/.
        settings: namespace and tag.
        env: variables, templates among them; passwords come from Secrets.
        labels: labels `weather/<name>` beside the step's own, templates among them.
    """
    return {
        "namespace": settings.weather_namespace,
        "image": f"{settings.weather_image_prefix}{image}:{settings.weather_image_tag}",
        # A pinned tag never changes, and a cluster without a registry has it already.
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
        # It knows the registry's Secrets, where there are any.
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
        # The root file system is read-only; dbt and DuckDB write their scratch files here.
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
        # The API server would read all events of the namespace twice a second.
        "log_events_on_startup": False,
        "log_events_on_failure": True,
        # What a step wrote last is its reason to fail, in `kubectl describe` and in the task's log.
        "termination_message_policy": "FallbackToLogsOnError",
        "log_pod_spec_on_failure": False,
        # A failed pod stays, so that someone can look at it; StepPod deletes it later.
        "on_finish_action": "delete_succeeded_pod",
        # Steps hand over through the store; the sidecar of XComs breaks restricted namespaces
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
