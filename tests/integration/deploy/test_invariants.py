"""Tests that the parts of the manifests fit each other, and that every pod is confined, which schemas cannot say."""

from __future__ import annotations

import pytest

from headshots.client.stub import METHODS
from headshots.v1 import generator_pb2, trainer_pb2
from tests.support.deploy.tree import (
    SERVICES,
    TREES,
    build,
    containers,
    named,
    of_kind,
    pod_labels,
    pod_spec,
    selects,
    strings,
    workloads,
)

pytestmark = pytest.mark.parametrize("tree", TREES)

PROTO_SERVICES = {
    "gateway": set(METHODS),
    "trainer": {service.full_name for service in trainer_pb2.DESCRIPTOR.services_by_name.values()},
    "generator": {service.full_name for service in generator_pb2.DESCRIPTOR.services_by_name.values()},
}


def test_every_pod_is_restricted(tree: str) -> None:
    for workload in workloads(build(tree)):
        spec = pod_spec(workload)
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        assert all("hostPath" not in volume for volume in spec["volumes"])
        for container in containers(workload):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["runAsNonRoot"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert "privileged" not in context


def test_every_container_states_what_it_needs(tree: str) -> None:
    for workload in workloads(build(tree)):
        for container in containers(workload):
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"]


def test_images_are_pinned(tree: str) -> None:
    for workload in workloads(build(tree)):
        for container in containers(workload):
            _, _, tag = container["image"].rpartition(":")
            assert tag not in ("", "latest"), container["image"]


def test_everything_referred_to_exists(tree: str) -> None:
    resources = build(tree)
    claims = {claim["metadata"]["name"] for claim in of_kind(resources, "PersistentVolumeClaim")}
    config_maps = {config["metadata"]["name"] for config in of_kind(resources, "ConfigMap")}
    accounts = {account["metadata"]["name"] for account in of_kind(resources, "ServiceAccount")}
    for workload in workloads(resources):
        spec = pod_spec(workload)
        volumes = {volume["name"] for volume in spec["volumes"]}
        volumes |= {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", ())}
        for volume in spec["volumes"]:
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims
        assert spec.get("serviceAccountName", "default") in accounts | {"default"}
        for container in containers(workload):
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
            for source in container.get("envFrom", ()):
                if "configMapRef" in source:
                    assert source["configMapRef"]["name"] in config_maps
    mounted = {
        volume["persistentVolumeClaim"]["claimName"]
        for workload in workloads(resources)
        for volume in pod_spec(workload)["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert claims == mounted


def test_selectors_find_their_pods(tree: str) -> None:
    resources = build(tree)
    labels = {workload["metadata"]["name"]: pod_labels(workload) for workload in workloads(resources)}
    for workload in workloads(resources):
        assert selects(workload["spec"]["selector"], pod_labels(workload))
    for service in of_kind(resources, "Service"):
        found = [name for name, own in labels.items() if selects({"matchLabels": service["spec"]["selector"]}, own)]
        assert found == [service["metadata"]["name"].removesuffix("-scaler")]
    for budget in of_kind(resources, "PodDisruptionBudget"):
        found = [name for name, own in labels.items() if selects(budget["spec"]["selector"], own)]
        assert found == [budget["metadata"]["name"]]
    for monitor in of_kind(resources, "PodMonitor"):
        assert {name for name, own in labels.items() if selects(monitor["spec"]["selector"], own)} == set(SERVICES)
    for workload in workloads(resources):
        for constraint in pod_spec(workload).get("topologySpreadConstraints", ()):
            assert selects(constraint["labelSelector"], pod_labels(workload))


def test_ports_agree(tree: str) -> None:
    resources = build(tree)
    for service in SERVICES:
        (container,) = pod_spec(named(resources, "Deployment", service))["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        # Kubernetes' probes speak no TLS, which the internal ports do.
        probed = "grpc" if service == "gateway" else "health"
        for_keda = {"scaler"} if service == "gateway" and tree == "overlays/production" else set()
        assert ports.keys() == {"grpc", "metrics", probed} | for_keda
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[probe]["grpc"]["port"] == ports[probed]
        assert container["readinessProbe"]["grpc"]["service"] in PROTO_SERVICES[service]
        (port,) = named(resources, "Service", service)["spec"]["ports"]
        assert (port["port"], port["targetPort"]) == (ports["grpc"], "grpc")
    for monitor in of_kind(resources, "PodMonitor"):
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        assert endpoint["port"] == "metrics"


def test_who_has_the_operator_is_watched(tree: str) -> None:
    """A plain kind or minikube knows no PodMonitor, and applying one would end in an error."""
    assert len(of_kind(build(tree), "PodMonitor")) == (0 if tree == "overlays/dev" else 1)


def test_a_scaled_deployment_states_no_replicas(tree: str) -> None:
    resources = build(tree)
    targets = [
        scaler["spec"]["scaleTargetRef"]["name"]
        for scaler in of_kind(resources, "HorizontalPodAutoscaler", "ScaledObject")
    ]
    assert len(targets) == len(set(targets)), "two autoscalers would fight over one Deployment"
    for target in targets:
        assert "replicas" not in named(resources, "Deployment", target)["spec"]


def test_no_secret_is_checked_in(tree: str) -> None:
    resources = build(tree)
    secrets = {secret["metadata"]["name"].rsplit("-", 1)[0] for secret in of_kind(resources, "Secret")}
    assert secrets == ({"headshots-database"} if tree == "overlays/dev" else set())
    for text in strings(resources):
        assert "PRIVATE KEY" not in text
        assert "AKIA" not in text
