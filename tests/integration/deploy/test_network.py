"""The NetworkPolicies let through what the services need, between all ends and at every port, and nothing else."""

from __future__ import annotations

import copy

import pytest

from tests.support.deploy.network import End, may_talk, pods
from tests.support.deploy.tree import SERVICES, TREES, Resource, build, of_kind

PRODUCTION = "overlays/production"
OUTSIDERS = (
    End("a stranger's pod", "default", {"app.kubernetes.io/name": "gateway"}),
    End("prometheus", "monitoring", {"app.kubernetes.io/name": "prometheus"}),
    End("keda", "keda", {"app": "keda-operator"}),
    End("cluster DNS", "kube-system", {"k8s-app": "kube-dns"}, {"dns": 53, "dns-tcp": 53}),
    End("an address outside", "", address="203.0.113.7"),
)
POSTGRES, STORE, API_SERVER, DNS, SSH = 5432, 443, 6443, 53, 22
Edge = tuple[str, str, int]


def flows(resources: list[Resource]) -> set[Edge]:
    """Whatever may be opened from or to our pods: every pair of ends, at every port that any has or is asked for."""
    ends = [*pods(resources), *OUTSIDERS]
    ports = {number for end in ends for number in end.ports.values()} | {POSTGRES, STORE, API_SERVER, DNS, SSH}
    return {
        (source.name, target.name, port)
        for source in ends
        for target in ends
        for port in ports
        # What outsiders do among themselves is not ours to say, nor is a pod's way to itself a policy's.
        if source is not target and not (source in OUTSIDERS and target in OUTSIDERS)
        if may_talk(resources, source, target, port)
    }


def anybody_at(source: str, port: int, ends: list[str]) -> set[Edge]:
    """What a rule without addresses lets through: our own pods are closed from their side."""
    return {(source, end, port) for end in ends}


def expected(tree: str, names: list[str]) -> set[Edge]:
    """The data flow of docs/operations.md ("Network"), one line each."""
    outside = [end.name for end in OUTSIDERS]
    edges: set[Edge] = set()
    # Clients, whose API key decides.
    edges |= {(end, "gateway", 50051) for end in outside}
    edges |= {("gateway", "trainer", 50052), ("gateway", "generator", 50053)}
    edges |= {("prometheus", "gateway", 9101), ("prometheus", "trainer", 9102), ("prometheus", "generator", 9103)}
    for name in names:
        edges.add((name, "cluster DNS", DNS))
    # PostgreSQL and the object store may be at any address outside.
    for name in SERVICES:
        edges |= anybody_at(name, STORE, outside)
    for name in ("gateway", "trainer"):
        edges |= anybody_at(name, POSTGRES, outside)
    if "postgres" in names:
        edges |= {("gateway", "postgres", POSTGRES), ("trainer", "postgres", POSTGRES)}
    if tree == PRODUCTION:
        edges.add(("keda", "gateway", 50055))
        for name in ("trainer", "generator"):
            edges |= anybody_at(name, API_SERVER, outside)
    return edges


@pytest.mark.parametrize("tree", TREES)
def test_what_may_talk_is_the_data_flow_and_nothing_else(tree: str) -> None:
    resources = build(tree)
    names = [pod.name for pod in pods(resources)]
    found = flows(resources)
    assert found - expected(tree, names) == set(), "let through, and nobody needs it"
    assert expected(tree, names) - found == set(), "needed, and not let through"


@pytest.mark.parametrize("tree", TREES)
def test_names_are_looked_up_over_udp_too_and_nothing_else_is(tree: str) -> None:
    resources = build(tree)
    for pod in pods(resources):
        for target in OUTSIDERS:
            for port in (DNS, STORE, POSTGRES):
                wanted = (target.name, port) == ("cluster DNS", DNS)
                assert may_talk(resources, pod, target, port, "UDP") == wanted, (pod.name, target.name, port)


@pytest.mark.parametrize("tree", TREES)
def test_a_pod_that_nobody_thought_of_may_do_nothing(tree: str) -> None:
    """A shell that somebody runs in the namespace: it asks for names, and the public door."""
    resources = build(tree)
    shell = End("shell", labels={"run": "shell"})
    reached = {
        (end.name, number)
        for end in (*pods(resources), *OUTSIDERS)
        for number in (*end.ports.values(), POSTGRES, STORE, API_SERVER, SSH)
        if may_talk(resources, shell, end, number)
    }
    assert reached == {("cluster DNS", DNS)}
    assert not any(may_talk(resources, end, shell, port) for end in OUTSIDERS for port in (SSH, STORE, 8080))


def policy(*, labels: dict[str, str], **spec: object) -> Resource:
    """A NetworkPolicy of the namespace for the pods with these labels."""
    return {
        "kind": "NetworkPolicy",
        "metadata": {"namespace": "headshots", "name": "p"},
        "spec": {"podSelector": {"matchLabels": labels}, **spec},
    }


A, B = End("a", labels={"app": "a"}, ports={"web": 80}), End("b", labels={"app": "b"}, ports={"web": 8080})
FAR = End("far", "elsewhere", {"app": "a"})
OUTSIDE = End("outside", "", address="10.1.2.3")


@pytest.mark.parametrize(
    ("rule", "source", "port", "allowed"),
    [
        ({}, OUTSIDE, 22, True),
        ({"ports": [{"port": 8080}]}, A, 8080, True),
        ({"ports": [{"port": 8080}]}, A, 8081, False),
        ({"ports": [{"port": 8000, "endPort": 8100}]}, A, 8100, True),
        ({"ports": [{"port": "web"}]}, A, 8080, True),
        ({"ports": [{"port": "web"}]}, A, 80, False),
        ({"ports": [{"port": 8080, "protocol": "UDP"}]}, A, 8080, False),
        ({"from": [{"podSelector": {"matchLabels": {"app": "a"}}}]}, A, 1, True),
        ({"from": [{"podSelector": {"matchLabels": {"app": "a"}}}]}, FAR, 1, False),
        ({"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "a"}}}]}, FAR, 1, True),
        ({"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "c"}}}]}, FAR, 1, False),
        ({"from": [{"namespaceSelector": {"matchLabels": {"x": "y"}}}]}, FAR, 1, False),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}, OUTSIDE, 1, True),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}, OUTSIDE, 1, False),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}, A, 1, False),
    ],
)
def test_the_evaluator_reads_a_rule_as_kubernetes_documents_it(
    rule: dict[str, object], source: End, port: int, allowed: bool
) -> None:
    resources = [policy(labels={"app": "b"}, policyTypes=["Ingress"], ingress=[rule])]
    assert may_talk(resources, source, B, port) is allowed


def test_the_evaluator_knows_isolation_and_that_policies_add_up() -> None:
    assert may_talk([], A, B, 1), "nobody is isolated by default"
    deny = policy(labels={"app": "b"})
    assert not may_talk([deny], A, B, 1), "a policy without types is about what comes in"
    assert may_talk([deny], B, A, 1)
    assert not may_talk([policy(labels={"app": "b"}, egress=[])], B, A, 1)
    assert may_talk([deny, policy(labels={"app": "b"}, ingress=[{}])], A, B, 1)


@pytest.mark.parametrize("name", ["gateway", "trainer", "generator", "database", "object-store", "metrics", "dns"])
def test_no_policy_can_be_left_out_unseen(name: str) -> None:
    resources = copy.deepcopy(build("base"))
    left = [one for one in resources if (one["kind"], one["metadata"]["name"]) != ("NetworkPolicy", name)]
    assert len(of_kind(left, "NetworkPolicy")) == len(of_kind(resources, "NetworkPolicy")) - 1
    assert flows(left) != expected("base", [pod.name for pod in pods(resources)])
