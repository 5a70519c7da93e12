"""Security and resource rules for every pod, from a chart or from Airflow.

A rule is a pure function from a pod to its breaches. Beyond the Pod Security Standard
`restricted`, the rules cover resources, pinned images, tokens and read-only root file systems.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

Manifest = dict[str, Any]
Exceptions = Mapping[tuple[str, str], str]
"""Reason of each exception, by (rule, place)."""

NO_EXCEPTIONS: Exceptions = MappingProxyType({})

VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
"""Volume types that `restricted` allows."""


DISK = "ephemeral-storage"


def amount(quantity: str) -> float:
    """Return a Kubernetes quantity as a number."""
    units = {"m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
    unit = next((each for each in units if quantity.endswith(each)), "")
    return float(quantity.removesuffix(unit)) * units.get(unit, 1)


@dataclass(frozen=True)
class Pod:
    """A pod, named by the object that creates it: `Deployment/weather-api`."""

    place: str
    spec: Manifest

    @property
    def containers(self) -> list[tuple[str, Manifest]]:
        """Return each container and init container with its place: `Deployment/weather-api/api`."""
        kinds = ("initContainers", "containers", "ephemeralContainers")
        return [
            (f"{self.place}/{container['name']}", container)
            for kind in kinds
            for container in self.spec.get(kind) or []
        ]

    @property
    def security(self) -> Manifest:
        """Return the pod's security context, the default of its containers."""
        return self.spec.get("securityContext") or {}


def pods_of(manifests: Iterable[Manifest]) -> list[Pod]:
    """Return the pods of these manifests: pods, and pod templates of any kind."""
    return [
        Pod(f"{manifest['kind']}/{(manifest.get('metadata') or {}).get('name', '')}", spec)
        for manifest in manifests
        if (spec := _pod_spec(manifest)) is not None
    ]


def _pod_spec(manifest: Manifest) -> Manifest | None:
    spec: Manifest = manifest.get("spec") or {}
    if manifest.get("kind") == "Pod":
        return spec
    if manifest.get("kind") == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    template: Manifest = spec.get("template") or {}
    return template.get("spec")


Findings = Iterator[tuple[str, str]]
"""A place and the breach found there."""


def resources(pod: Pod) -> Findings:
    """Require requests and limits of CPU, memory and disk."""
    for place, container in pod.containers:
        given = container.get("resources") or {}
        for kind in ("requests", "limits"):
            if missing := {"cpu", "memory", DISK} - set(given.get(kind) or {}):
                yield place, f"{kind} lack {', '.join(sorted(missing))}"


def bounded_scratch(pod: Pod) -> Findings:
    """Require scratch volumes with size limits within the pod's limits."""
    limits = [
        amount(limit)
        for _, container in pod.containers
        if (limit := ((container.get("resources") or {}).get("limits") or {}).get(DISK))
    ]
    for volume in pod.spec.get("volumes") or []:
        if "emptyDir" not in volume:
            continue
        size = (volume["emptyDir"] or {}).get("sizeLimit")
        if size is None:
            yield pod.place, f"emptyDir {volume['name']} has no sizeLimit"
        elif limits and amount(size) > sum(limits):
            yield pod.place, f"emptyDir {volume['name']} is larger than ephemeral-storage"


def non_root(pod: Pod) -> Findings:
    """Require that Kubernetes prevents processes as root."""
    for place, container in pod.containers:
        context = {**pod.security, **(container.get("securityContext") or {})}
        if context.get("runAsNonRoot") is not True:
            yield place, "runAsNonRoot is not true"
        if context.get("runAsUser") == 0:
            yield place, "runAsUser is 0"


def seccomp(pod: Pod) -> Findings:
    """Require a seccomp profile."""
    for place, container in pod.containers:
        context = {**pod.security, **(container.get("securityContext") or {})}
        profile = (context.get("seccompProfile") or {}).get("type")
        if profile not in {"RuntimeDefault", "Localhost"}:
            yield place, f"seccompProfile is {profile}"


def privileges(pod: Pod) -> Findings:
    """Forbid privileges, added capabilities and privilege escalation."""
    for place, container in pod.containers:
        context = container.get("securityContext") or {}
        if context.get("allowPrivilegeEscalation") is not False:
            yield place, "allowPrivilegeEscalation is not false"
        if context.get("privileged"):
            yield place, "privileged"
        capabilities = context.get("capabilities") or {}
        if "ALL" not in (capabilities.get("drop") or []):
            yield place, "capabilities are not dropped: drop ALL"
        if added := capabilities.get("add"):
            yield place, f"capabilities are added: {', '.join(added)}"


def read_only_root(pod: Pod) -> Findings:
    """Require a read-only root file system."""
    for place, container in pod.containers:
        if (container.get("securityContext") or {}).get("readOnlyRootFilesystem") is not True:
            yield place, "readOnlyRootFilesystem is not true"


def pinned_image(pod: Pod) -> Findings:
    """Require a version tag or a digest for each image."""
    for place, container in pod.containers:
        name, _, digest = container["image"].partition("@")
        tag = name.rpartition("/")[2].partition(":")[2]
        if not digest and tag in {"", "latest"}:
            yield place, f"image {container['image']} names no fixed version"


def no_token(pod: Pod) -> Findings:
    """Forbid a mounted token of the Kubernetes API."""
    if pod.spec.get("automountServiceAccountToken") is not False:
        yield pod.place, "automountServiceAccountToken is not false"


def own_node(pod: Pod) -> Findings:
    """Forbid sharing the node's network, processes or files."""
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(name):
            yield pod.place, f"{name} is true"
    for volume in pod.spec.get("volumes") or []:
        if kinds := set(volume) - {"name"} - VOLUMES:
            yield pod.place, f"volume {volume['name']} is of kind {', '.join(sorted(kinds))}"
    for place, container in pod.containers:
        if any(port.get("hostPort") for port in container.get("ports") or []):
            yield place, "hostPort"


RULES: Mapping[str, Callable[[Pod], Findings]] = {
    rule.__name__: rule
    for rule in (
        resources,
        bounded_scratch,
        non_root,
        seccomp,
        privileges,
        read_only_root,
        pinned_image,
        no_token,
        own_node,
    )
}


def breaches(manifests: Iterable[Manifest], exceptions: Exceptions = NO_EXCEPTIONS) -> list[str]:
    """Return all breaches of these manifests' pods, and unused exceptions.

    Args:
        manifests: Kubernetes objects as plain dicts. Objects without pods are skipped.
        exceptions: reasons by rule (a function's name here) and place: `<kind>/<name>`
            for `no_token`, `own_node` and `bounded_scratch`, `<kind>/<name>/<container>` for the
            others.
    """
    found = [
        ((name, place), problem)
        for pod in pods_of(manifests)
        for name, rule in RULES.items()
        for place, problem in rule(pod)
    ]
    unneeded = set(exceptions) - {key for key, _ in found}
    return [
        f"{place}: {problem} ({rule})"
        for (rule, place), problem in found
        if (rule, place) not in exceptions
    ] + [f"{place}: needs no exception from {rule} any more" for rule, place in sorted(unneeded)]
