"""Decides, as a network plugin would, whether the NetworkPolicies of a tree let one end talk to another's port."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any

from tests.support.deploy.tree import Resource, containers, of_kind, pod_labels, selects, workloads

NAMESPACE_LABEL = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class End:
    """A pod, by its namespace and labels, or an address outside the cluster, which has no namespace."""

    name: str
    namespace: str = "headshots"
    labels: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    """Numbers of its ports by name: policies may mean either."""
    address: str = ""


def pods(resources: list[Resource]) -> list[End]:
    """One for everything that makes pods."""
    return [
        End(
            workload["metadata"]["name"],
            labels=pod_labels(workload),
            ports={
                port["name"]: port["containerPort"]
                for container in containers(workload)
                for port in container.get("ports", ())
            },
        )
        for workload in workloads(resources)
    ]


def may_talk(resources: list[Resource], source: End, target: End, port: int, protocol: str = "TCP") -> bool:
    """Whether a connection is let through: both ends have to allow it, and the ends outside allow everything."""
    policies = of_kind(resources, "NetworkPolicy")
    egress = _allowed(policies, "egress", source, target, target, port, protocol)
    return egress and _allowed(policies, "ingress", target, source, target, port, protocol)


def _allowed(
    policies: list[Resource], direction: str, own: End, peer: End, target: End, port: int, protocol: str
) -> bool:
    """Policies add up: an end that some policy isolates is allowed what any of their rules allows, and nothing else."""
    isolating = [policy for policy in policies if _isolates(policy, own, direction)]
    return not isolating or any(
        _has_port(rule, target, port, protocol) and _has_peer(rule, direction, peer, policy)
        for policy in isolating
        for rule in policy["spec"].get(direction, ())
    )


def _isolates(policy: Resource, own: End, direction: str) -> bool:
    spec = policy["spec"]
    # By default a policy is about what comes in, and about what goes out where it has such rules.
    kinds = spec.get("policyTypes", ["Ingress", *(["Egress"] if "egress" in spec else [])])
    return (
        own.namespace == policy["metadata"]["namespace"]
        and direction.capitalize() in kinds
        and selects(spec["podSelector"], own.labels)
    )


def _has_port(rule: dict[str, Any], target: End, port: int, protocol: str) -> bool:
    """No ports at all are every port."""
    if not rule.get("ports"):
        return True
    for allowed in rule["ports"]:
        if allowed.get("protocol", "TCP") != protocol:
            continue
        first = allowed.get("port", port)
        number = target.ports.get(first) if isinstance(first, str) else first
        if number is not None and number <= port <= allowed.get("endPort", number):
            return True
    return False


def _has_peer(rule: dict[str, Any], direction: str, peer: End, policy: Resource) -> bool:
    """No peers at all are everybody, within and without the cluster."""
    allowed = rule.get("to" if direction == "egress" else "from")
    return not allowed or any(_is_peer(one, peer, policy["metadata"]["namespace"]) for one in allowed)


def _is_peer(one: dict[str, Any], peer: End, namespace: str) -> bool:
    """A block of addresses; or pods by selector, of the policy's namespace or of those that a selector names."""
    if "ipBlock" in one:
        if not peer.address:
            return False
        address, block = ipaddress.ip_address(peer.address), one["ipBlock"]
        excepted = any(address in ipaddress.ip_network(each) for each in block.get("except", ()))
        return address in ipaddress.ip_network(block["cidr"]) and not excepted
    if not peer.namespace:
        return False
    if "namespaceSelector" in one:
        is_there = selects(one["namespaceSelector"], {NAMESPACE_LABEL: peer.namespace})
    else:
        is_there = peer.namespace == namespace
    return is_there and selects(one.get("podSelector", {}), peer.labels)
