"""KEDA asks the gateways' port, in the words that they know, and may."""

from __future__ import annotations

import yaml

from services.gateway.scaling.queues import Kind
from tests.support.deploy.tree import ROOT, build, main_container, named, of_kind, settings_environment

TREE = "overlays/production"


def test_both_pools_are_asked_for_at_the_gateways_port() -> None:
    resources = build(TREE)
    (port,) = named(resources, "Service", "gateway-scaler")["spec"]["ports"]
    asked = {}
    for scaler in of_kind(resources, "ScaledObject"):
        (trigger,) = scaler["spec"]["triggers"]
        assert trigger["type"] == "external-push"
        assert trigger["metadata"]["scalerAddress"] == f"gateway-scaler.headshots.svc:{port['port']}"
        asked[scaler["metadata"]["name"]] = trigger["metadata"]["pool"]
        # Where nobody can be asked there may be work.
        assert scaler["spec"]["fallback"]["replicas"] >= 1
        component = yaml.safe_load((ROOT / f"deploy/k8s/components/keda/{scaler['metadata']['name']}.yaml").read_text())
        assert component["spec"]["minReplicaCount"] == 0
    assert asked == {"generator": "generators", "trainer": "trainers"}
    assert set(asked.values()) == {kind.value for kind in Kind}


def test_the_gateway_listens_where_its_service_sends() -> None:
    resources = build(TREE)
    container = main_container(resources, "gateway")
    (port,) = named(resources, "Service", "gateway-scaler")["spec"]["ports"]
    numbers = {each["name"]: each["containerPort"] for each in container["ports"]}
    environment = settings_environment(resources, container)
    assert environment["HEADSHOTS_GATEWAY_SCALER_PORT"] == str(numbers[port["targetPort"]]) == str(port["port"])


def test_keda_and_nobody_else_may_ask() -> None:
    rules = [rule for policy in of_kind(build(TREE), "NetworkPolicy") for rule in policy["spec"].get("ingress", ())]
    (rule,) = (rule for rule in rules if {"port": "scaler"} in rule["ports"])
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}}]
