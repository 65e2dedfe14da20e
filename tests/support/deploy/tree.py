"""Builds the Kubernetes manifests with Kustomize, and looks things up in them."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT
from tests.support.waiting import PATIENCE_SECONDS

SERVICES = ("gateway", "trainer", "generator")
TREES = ("base", "overlays/dev", "overlays/production")

Resource = dict[str, Any]


@functools.cache
def _kustomize() -> tuple[str, ...] | None:
    """The command that builds a tree; kubectl carries Kustomize."""
    if shutil.which("kustomize"):
        return ("kustomize", "build")
    if shutil.which("kubectl"):
        return ("kubectl", "kustomize")
    return None


# Manifests have tens of kilobytes, and each test reads them anew: by libyaml in a tenth of the time.
QUICK_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


@functools.cache
def _built(tree: str) -> str:
    command = _kustomize()
    assert command is not None
    result = subprocess.run(
        [*command, str(ROOT / "deploy" / "k8s" / tree)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def build(tree: str) -> list[Resource]:
    """The resources of ``deploy/k8s/{tree}``. Without Kustomize the test is skipped, but fails in CI."""
    if _kustomize() is None:
        if os.environ.get("CI"):
            pytest.fail("neither kustomize nor kubectl is on PATH, and CI must build the manifests")
        pytest.skip("neither kustomize nor kubectl is on PATH")
    return [resource for resource in yaml.load_all(_built(tree), QUICK_LOADER) if resource]


def of_kind(resources: list[Resource], *kinds: str) -> list[Resource]:
    """Those of the given kinds."""
    return [resource for resource in resources if resource["kind"] in kinds]


def named(resources: list[Resource], kind: str, name: str) -> Resource:
    """The one resource of that kind and name."""
    (found,) = (r for r in resources if r["kind"] == kind and r["metadata"]["name"] == name)
    return found


def workloads(resources: list[Resource]) -> list[Resource]:
    """Everything that makes pods."""
    return of_kind(resources, "Deployment", "StatefulSet", "DaemonSet", "Job")


def pod_spec(workload: Resource) -> dict[str, Any]:
    """The pod's spec."""
    spec: dict[str, Any] = workload["spec"]["template"]["spec"]
    return spec


def pod_labels(workload: Resource) -> dict[str, str]:
    """The pod's labels."""
    labels: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return labels


def containers(workload: Resource) -> list[dict[str, Any]]:
    """Containers and init containers."""
    spec = pod_spec(workload)
    return [*spec.get("initContainers", ()), *spec["containers"]]


def main_container(resources: list[Resource], service: str) -> dict[str, Any]:
    """The container of a service of ours."""
    (container,) = pod_spec(named(resources, "Deployment", service))["containers"]
    assert container["name"] == "service"
    return dict(container)


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Kubernetes' label selectors: matchLabels and matchExpressions, as far as these manifests use them."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for expression in selector.get("matchExpressions", ()):
        assert expression["operator"] == "In", expression
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return True


def settings_environment(resources: list[Resource], container: dict[str, Any]) -> dict[str, str]:
    """A container's environment: its ConfigMaps in order, then its own entries; secrets read as placeholders."""
    environment: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        if "configMapRef" in source:
            environment |= named(resources, "ConfigMap", source["configMapRef"]["name"])["data"]
    return environment | {entry["name"]: entry.get("value", "<secret>") for entry in container.get("env", ())}


def strings(value: Any) -> Iterator[str]:
    """Every string within parsed YAML or JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
