"""The second pool's namespace, and what the gateways know of it, fit together."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.gateway.scaling.queues import queues_of
from services.gateway.settings import GatewaySettings
from tests.support.deploy.tree import (
    ROOT,
    Resource,
    build,
    containers,
    main_container,
    named,
    of_kind,
    settings_environment,
    workloads,
)

POOL = "overlays/pool-v2"
NAMESPACE = "headshots-v2"


@pytest.fixture(scope="module")
def gateways(tmp_path_factory: pytest.TempPathFactory) -> list[Resource]:
    """Production with the component."""
    folder = tmp_path_factory.mktemp("overlay")
    tree = Path(os.path.relpath(ROOT / "deploy" / "k8s", folder.resolve()))
    lines = ["apiVersion: kustomize.config.k8s.io/v1beta1", "kind: Kustomization", "namespace: headshots"]
    lines += [f"resources: [{tree / 'overlays' / 'production'}]", f"components: [{tree / 'components' / 'pool-v2'}]"]
    (folder / "kustomization.yaml").write_text("\n".join(lines))
    return build(os.path.relpath(folder, ROOT / "deploy" / "k8s"))


def test_the_gateways_call_the_services_of_the_pools_namespace(gateways: list[Resource]) -> None:
    settings = GatewaySettings.from_environment(settings_environment(gateways, main_container(gateways, "gateway")))
    main, second = settings.declared_pools
    assert (main.trainer_address, second.name, settings.default_pool) == ("trainer:50052", "v2", "main")
    for address in (second.trainer_address, second.generator_address):
        host, _, port = address.partition(":")
        name, _, namespace = host.partition(".")
        service = named(build(POOL), "Service", name)
        assert (service["metadata"]["namespace"], service["spec"]["clusterIP"]) == (namespace, "None")
        assert [port["port"] for port in service["spec"]["ports"]] == [int(port)]


def test_the_pool_is_scaled_on_its_own_work(gateways: list[Resource]) -> None:
    settings = GatewaySettings.from_environment(settings_environment(gateways, main_container(gateways, "gateway")))

    class Known:
        digest, ready = "", 0

        def __init__(self, name: str) -> None:
            self.name = name

    known = queues_of([Known(pool.name) for pool in settings.declared_pools])
    asked = {
        scaler["metadata"]["name"]: scaler["spec"]["triggers"][0]["metadata"]["pool"]
        for scaler in of_kind(build(POOL), "ScaledObject")
    }
    assert asked == {"generator": "generators-v2", "trainer": "trainers-v2"}
    assert {(known[queue].kind.value, known[queue].pool) for queue in asked.values()} == {
        ("generators", "v2"),
        ("trainers", "v2"),
    }


def test_the_gateways_of_the_other_namespace_reach_the_pool_and_nobody_else_does(gateways: list[Resource]) -> None:
    egress = named(gateways, "NetworkPolicy", "gateway-pool-v2")["spec"]["egress"]
    of_namespace = {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}
    assert [(rule["to"][0]["namespaceSelector"], rule["ports"]) for rule in egress] == [
        (of_namespace, [{"port": 50052}]),
        (of_namespace, [{"port": 50053}]),
    ]
    for name in ("trainer", "generator"):
        (rule,) = named(build(POOL), "NetworkPolicy", name)["spec"]["ingress"]
        (caller,) = rule["from"]
        assert caller["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "headshots"}}
        assert caller["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "gateway"}}


def test_the_pool_has_no_gateway_and_everything_else_of_production() -> None:
    pool, production = build(POOL), build("overlays/production")
    assert {each["metadata"]["name"] for each in workloads(pool)} == {"trainer", "generator"}
    assert not [each for each in pool if each["metadata"]["name"].startswith("gateway")]
    assert {each["metadata"].get("namespace", NAMESPACE) for each in pool} == {NAMESPACE}
    assert (
        named(pool, "Namespace", NAMESPACE)["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    )
    for name in ("trainer", "generator"):
        mine, theirs = (containers(named(tree, "Deployment", name)) for tree in (pool, production))
        assert [each["image"] for each in mine] == [each["image"] for each in theirs]
        assert [each["securityContext"] for each in mine] == [each["securityContext"] for each in theirs]
