"""Evaluate NetworkPolicies as Kubernetes documents them.

Not every cluster enforces policies, and a test on a cluster takes minutes. Selectors by labels and
expressions, ports by number, address blocks with exceptions: what the chart's policies use.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from tests.pod_rules import Manifest


@dataclass(frozen=True)
class Place:
    """A pod with its labels and namespace, or an outside address."""

    labels: dict[str, str] = field(default_factory=dict)
    namespace: str = "weather"
    address: str | None = None


def is_allowed(
    policies: Sequence[Manifest], source: Place, target: Place, port: int, protocol: str = "TCP"
) -> bool:
    """Return whether policies allow a connection at its source and at its target."""
    return all(
        _passes(policies, direction, pod, peer, port, protocol)
        for direction, pod, peer in (("Egress", source, target), ("Ingress", target, source))
    )


def _passes(
    policies: Sequence[Manifest],
    direction: str,
    pod: Place,
    peer: Place,
    port: int,
    protocol: str,
) -> bool:
    if pod.address is not None:
        return True
    about = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == pod.namespace
        and direction in policy["spec"]["policyTypes"]
        and _selects(policy["spec"]["podSelector"], pod.labels)
    ]
    return not about or any(
        _rule_allows(rule, peer, pod.namespace, port, protocol)
        for spec in about
        for rule in _rules(spec, direction)
    )


def _rules(spec: Manifest, direction: str) -> Iterator[tuple[Any, Any]]:
    """Yield (peers, ports) of each rule."""
    for rule in spec.get(direction.lower()) or []:
        yield rule.get("from" if direction == "Ingress" else "to"), rule.get("ports")


def _rule_allows(
    rule: tuple[Any, Any], peer: Place, namespace: str, port: int, protocol: str
) -> bool:
    peers, ports = rule
    return (
        not ports
        or any((each.get("protocol", "TCP"), each["port"]) == (protocol, port) for each in ports)
    ) and (not peers or any(_is_peer(each, peer, namespace) for each in peers))


def _is_peer(named: Manifest, peer: Place, namespace: str) -> bool:
    if block := named.get("ipBlock"):
        return peer.address is not None and _is_in(peer.address, block)
    if peer.address is not None:
        return False
    if "namespaceSelector" in named:
        labels = {"kubernetes.io/metadata.name": peer.namespace}
        in_namespace = _selects(named["namespaceSelector"], labels)
    else:
        in_namespace = peer.namespace == namespace
    return in_namespace and _selects(named.get("podSelector", {}), peer.labels)


def _is_in(address: str, block: Manifest) -> bool:
    return ip_address(address) in ip_network(block["cidr"]) and not any(
        ip_address(address) in ip_network(each) for each in block.get("except", [])
    )


def _selects(selector: Manifest, labels: dict[str, str]) -> bool:
    for expression in selector.get("matchExpressions", []):
        if expression["operator"] != "In":
            raise NotImplementedError(expression["operator"])
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    wanted: dict[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()
