"""Every resource that Kustomize builds, against the schemas of Kubernetes, KEDA and the Prometheus operator.

Those of cert-manager are written here, of what its documentation says: no package with its own was at hand.
"""

from __future__ import annotations

import copy
import functools
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from tests.support.deploy.cert_manager import CERT_MANAGER
from tests.support.deploy.tree import TREES, Resource, build, named

# The oldest release that the manifests are for (the sleep of preStop), and the newest whose schemas are at hand.
OLDEST = "1.31"
NEWEST = kubernetes_validate.latest_version()


def _closed(schema: Any) -> Any:
    """The same schema, refusing fields it does not name: the API server drops those, and a typing error with them."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if closed.get("type") == "object" and "properties" in closed:
        closed.setdefault("additionalProperties", False)
    return closed


@functools.cache
def _custom_schemas() -> dict[tuple[str, str], Any]:
    """JSON schemas of the custom resources in use, by API version and kind."""
    from cloudcoil.models.keda.v1alpha1 import ScaledObject
    from cloudcoil.models.prometheus_operator.v1 import PodMonitor

    return {
        **{("cert-manager.io/v1", kind): _closed(schema) for kind, schema in CERT_MANAGER.items()},
        ("keda.sh/v1alpha1", "ScaledObject"): _closed(ScaledObject.model_json_schema()),
        ("monitoring.coreos.com/v1", "PodMonitor"): _closed(PodMonitor.model_json_schema()),
    }


def _validate(resource: Resource, version: str) -> None:
    custom = _custom_schemas().get((resource["apiVersion"], resource["kind"]))
    if custom is not None:
        jsonschema.validate(resource, custom)
    else:
        kubernetes_validate.validate(resource, version, strict=True)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("tree", TREES)
def test_every_resource_is_valid(tree: str, version: str) -> None:
    resources = build(tree)
    assert len(resources) > 15
    for resource in resources:
        _validate(resource, version)


@pytest.mark.parametrize(
    ("tree", "kind", "name", "path"),
    [
        ("base", "Deployment", "gateway", ("spec", "template", "spec", "securityContext")),
        ("base", "HorizontalPodAutoscaler", "gateway", ("spec", "behavior", "scaleDown")),
        ("base", "PodMonitor", "headshots", ("spec",)),
        ("overlays/production", "ScaledObject", "trainer", ("spec", "advanced")),
        ("overlays/production", "Certificate", "trainer", ("spec", "privateKey")),
    ],
)
def test_the_validation_catches_a_misspelt_field(tree: str, kind: str, name: str, path: tuple[str, ...]) -> None:
    resource = copy.deepcopy(named(build(tree), kind, name))
    _validate(resource, NEWEST)
    place = resource
    for step in path:
        place = place[step]
    place["mispelt"] = 1
    with pytest.raises(jsonschema.ValidationError, match="mispelt"):
        _validate(resource, NEWEST)
