"""The rules for every pod of the cluster, from a chart or from Airflow.

A rule is a pure function from a pod to what is wrong with it, in words. They say more than the
Pod Security Standard `restricted` does: resources, pinned images, tokens, and no root to write to.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

Manifest = dict[str, Any]
Exceptions = Mapping[tuple[str, str], str]
"""(rule, place) to the reason why that place is allowed to break that rule."""

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
"""The kinds of volumes that `restricted` allows."""


DISK = "ephemeral-storage"


def amount(quantity: str) -> float:
    """A quantity of Kubernetes as a number."""
    units = {"m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
    unit = next((each for each in units if quantity.endswith(each)), "")
    return float(quantity.removesuffix(unit)) * units.get(unit, 1)


@dataclass(frozen=True)
class Pod:
    """A pod, by what makes it: `Deployment/weather-api`."""

    place: str
    spec: Manifest

    @property
    def containers(self) -> list[tuple[str, Manifest]]:
        """Each container and init container with its place: `Deployment/weather-api/api`."""
        kinds = ("initContainers", "containers", "ephemeralContainers")
        return [
            (f"{self.place}/{container['name']}", container)
            for kind in kinds
            for container in self.spec.get(kind) or []
        ]

    @property
    def security(self) -> Manifest:
        """The pod's own security context, for containers that say nothing else."""
        return self.spec.get("securityContext") or {}


def pods_of(manifests: Iterable[Manifest]) -> list[Pod]:
    """The pods that these manifests make: pods themselves, and templates of whatever kind."""
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
"""A place and what is wrong there."""


def resources(pod: Pod) -> Findings:
    """Assert requests and limits of CPU, memory and disk."""
    for place, container in pod.containers:
        given = container.get("resources") or {}
        for kind in ("requests", "limits"):
            if missing := {"cpu", "memory", DISK} - set(given.get(kind) or {}):
                yield place, f"{kind} lack {', '.join(sorted(missing))}"


def bounded_scratch(pod: Pod) -> Findings:
    """No scratch volume takes more of its node's disk than the pod's limits allow."""
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
    """Kubernetes itself sees to it that no process is root."""
    for place, container in pod.containers:
        context = {**pod.security, **(container.get("securityContext") or {})}
        if context.get("runAsNonRoot") is not True:
            yield place, "runAsNonRoot is not true"
        if context.get("runAsUser") == 0:
            yield place, "runAsUser is 0"


def seccomp(pod: Pod) -> Findings:
    """The runtime's filter of system calls is on."""
    for place, container in pod.containers:
        context = {**pod.security, **(container.get("securityContext") or {})}
        profile = (context.get("seccompProfile") or {}).get("type")
        if profile not in {"RuntimeDefault", "Localhost"}:
            yield place, f"seccompProfile is {profile}"


def privileges(pod: Pod) -> Findings:
    """No process can get rights that its container was not given, and it was given none."""
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
    """Nothing of the image can be overwritten."""
    for place, container in pod.containers:
        if (container.get("securityContext") or {}).get("readOnlyRootFilesystem") is not True:
            yield place, "readOnlyRootFilesystem is not true"


def pinned_image(pod: Pod) -> Findings:
    """An image's tag or digest names one version."""
    for place, container in pod.containers:
        name, _, digest = container["image"].partition("@")
        tag = name.rpartition("/")[2].partition(":")[2]
        if not digest and tag in {"", "latest"}:
            yield place, f"image {container['image']} names no fixed version"


def no_token(pod: Pod) -> Findings:
    """No pod holds a key to Kubernetes' API that it does not need."""
    if pod.spec.get("automountServiceAccountToken") is not False:
        yield pod.place, "automountServiceAccountToken is not false"


def own_node(pod: Pod) -> Findings:
    """A pod shares neither network nor processes nor files with its node."""
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
    """What is wrong with the pods of these manifests; an exception that none needs is wrong too.

    Args:
        manifests: objects of Kubernetes as plain dicts; those that make no pod are passed over.
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
