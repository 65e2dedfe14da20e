"""The manifests' environment is what the services' settings read, and it says the same as the rest of the manifests."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from headshots.cli.app import app
from headshots.cli.commands import doctor
from headshots.diffusion.export.ensure import ExportOptions
from headshots.pods.settings import PodSettings
from headshots.rpc.internal.settings import InternalSettings
from services.gateway.settings import GatewaySettings
from services.generator.settings import GeneratorSettings
from services.trainer.settings import TrainerSettings
from tests.support.deploy.tree import (
    ROOT,
    SERVICES,
    TREES,
    build,
    containers,
    main_container,
    named,
    of_kind,
    pod_spec,
    settings_environment,
)

pytestmark = pytest.mark.parametrize("tree", TREES)

SETTINGS: dict[str, Any] = {
    "gateway": GatewaySettings,
    "trainer": TrainerSettings,
    "generator": GeneratorSettings,
}
# Read by every service, or by those that have the thing.
COMMON = {"HEADSHOTS_STORE_URL", "HEADSHOTS_DATABASE_URL", "HEADSHOTS_FOUNDATION"} | {
    f"HEADSHOTS_{prefix}_{field.name.upper()}"
    for prefix, settings in (("INTERNAL", InternalSettings), ("POD", PodSettings))
    for field in dataclasses.fields(settings)
}
# The image's own (deploy/docker/Dockerfile).
IMAGE = {"HEADSHOTS_HOME": "/scratch"}


def _settings(tree: str, service: str) -> Any:
    resources = build(tree)
    environment = settings_environment(resources, main_container(resources, service))
    return SETTINGS[service].from_environment(IMAGE | environment)


@pytest.mark.parametrize("service", SERVICES)
def test_every_variable_is_a_setting(tree: str, service: str) -> None:
    resources = build(tree)
    prefix = f"HEADSHOTS_{service.upper()}_"
    known = COMMON | {prefix + field.name.upper() for field in dataclasses.fields(SETTINGS[service])}
    environment = settings_environment(resources, main_container(resources, service))
    assert any(name.startswith(prefix) for name in environment)
    assert not environment.keys() - known


@pytest.mark.parametrize("service", SERVICES)
def test_in_its_pod_the_doctor_looks_at_that_service(tree: str, service: str) -> None:
    resources = build(tree)
    environment = IMAGE | settings_environment(resources, main_container(resources, service))
    assert doctor.plans([], {"KUBERNETES_SERVICE_HOST": "10.0.0.1", **environment}, {}).keys() == {service}
    assert main_container(resources, service) == pod_spec(named(resources, "Deployment", service))["containers"][0]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_listens_where_the_manifests_say(tree: str, service: str) -> None:
    settings = _settings(tree, service)
    ports = {port["name"]: port["containerPort"] for port in main_container(build(tree), service)["ports"]}
    assert settings.host == "0.0.0.0"
    own = {"scaler": settings.scaler_port} if service == "gateway" else {"health": settings.health_port}
    listening = {"grpc": settings.port, "metrics": settings.metrics_port, **own}
    assert ports == {name: port for name, port in listening.items() if port is not None}


def test_the_gateway_calls_services_that_are_there(tree: str) -> None:
    settings = _settings(tree, "gateway")
    for address in (settings.trainer_address, settings.generator_address):
        host, _, port = address.partition(":")
        service = named(build(tree), "Service", host)
        # Headless: round robin needs every pod's address.
        assert service["spec"]["clusterIP"] == "None"
        assert [port["port"] for port in service["spec"]["ports"]] == [int(port)]


@pytest.mark.parametrize("service", SERVICES)
def test_the_grace_period_covers_the_drain(tree: str, service: str) -> None:
    resources = build(tree)
    hook = main_container(resources, service)["lifecycle"]["preStop"]["sleep"]["seconds"]
    grace = pod_spec(named(resources, "Deployment", service))["terminationGracePeriodSeconds"]
    assert hook + _settings(tree, service).drain_seconds + 10 <= grace


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_service_writes_is_writable(tree: str, service: str) -> None:
    settings = _settings(tree, service)
    writable = {
        Path(mount["mountPath"])
        for mount in main_container(build(tree), service)["volumeMounts"]
        if not mount.get("readOnly")
    }
    assert {Path("/scratch"), Path("/tmp")} <= writable
    own = {"gateway": ["scratch_dir"], "trainer": [], "generator": ["adapters_dir"]}[service]
    assert all(any(getattr(settings, name).is_relative_to(path) for path in writable) for name in own)
    if settings.store_url.startswith("file://"):
        assert Path(settings.store_url.removeprefix("file://")) in writable


def test_the_init_container_exports_what_the_service_will_ask_for(
    tree: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    resources = build(tree)
    export, service = containers(named(resources, "Deployment", "generator"))
    settings = _settings(tree, "generator")
    environment = settings_environment(resources, export)
    assert environment.get("HEADSHOTS_FOUNDATION") == settings_environment(resources, service).get(
        "HEADSHOTS_FOUNDATION"
    )

    asked: list[tuple[Path, ExportOptions]] = []

    def ensure(foundation: Path, cache: Path, options: ExportOptions, progress: Any) -> Path:
        asked.append((cache, options))
        return cache

    monkeypatch.setattr("headshots.diffusion.export.ensure.ensure_package_in_child", ensure)
    # Kubernetes puts the container's environment in for $(NAME); here the folder is one that exists.
    arguments = [re.sub(r"\$\((\w+)\)", lambda match: environment[match[1]], text) for text in export["args"]]
    assert export["command"] == ["headshots", "export"]
    # As much of a foundation as keeps it from being imported.
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "diffusion_pytorch_model.safetensors").touch()
    result = CliRunner().invoke(app, ["export", "--foundation", str(tmp_path), *arguments])
    assert result.exit_code == 0, result.output
    assert asked == [(settings.engines_dir, settings.export)]
    mounts = {mount["mountPath"]: mount for mount in export["volumeMounts"]}
    assert not mounts[str(settings.engines_dir)].get("readOnly")
    assert str(settings.engines_dir) in {mount["mountPath"] for mount in service["volumeMounts"]}


def test_a_replica_counts_for_as_much_work_as_it_takes_at_once(tree: str) -> None:
    thresholds = {
        scaler["metadata"]["name"]: int(scaler["spec"]["triggers"][0]["metadata"]["perReplica"])
        for scaler in of_kind(build(tree), "ScaledObject")
    }
    assert thresholds.keys() == ({"generator", "trainer"} if tree == "overlays/production" else set())
    if thresholds:
        # An image with guidance takes two rows of a batch.
        assert thresholds["generator"] * 2 == _settings(tree, "generator").export_max_rows
        assert thresholds["trainer"] == _settings(tree, "trainer").workers


@pytest.mark.parametrize("service", ["gateway", "trainer"])
def test_faces_are_looked_for_with_what_the_image_brings(tree: str, service: str) -> None:
    settings = _settings(tree, service)
    if tree != "overlays/production":
        # Drawn people of the bundled foundation, in images without an analyzer.
        assert (settings.faces, settings.faces_dir) == ("none", None)
        return
    assert settings.faces == "people"
    dockerfile = (ROOT / "deploy" / "docker" / "Dockerfile").read_text("utf-8")
    installed = dockerfile.replace("${ANALYZER}", settings.faces)
    assert f'headshots analyzers install "people" --out "{settings.faces_dir}"' in installed
    assert f"COPY --from=build {settings.faces_dir.parent} {settings.faces_dir.parent}" in dockerfile
    # It is baked in and not mounted over.
    mounts = [Path(mount["mountPath"]) for mount in main_container(build(tree), service)["volumeMounts"]]
    assert not any(settings.faces_dir.is_relative_to(mount) for mount in mounts)


def test_every_gateway_signs_receipts_with_the_mounted_key(tree: str) -> None:
    resources = build(tree)
    file = _settings(tree, "gateway").receipt_key
    (mount,) = (
        mount
        for mount in main_container(resources, "gateway")["volumeMounts"]
        if mount["mountPath"] == str(file.parent) and mount["readOnly"]
    )
    volumes = {volume["name"]: volume for volume in pod_spec(named(resources, "Deployment", "gateway"))["volumes"]}
    assert volumes[mount["name"]]["secret"] == {"secretName": "headshots-receipt-key"}
    told = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert f"create secret generic headshots-receipt-key --from-file=./{file.name}" in told


def test_whoever_a_real_foundation_paints_is_looked_at_by_the_analyzer_for_real_people(tree: str) -> None:
    resources = build(tree)
    paints = settings_environment(resources, main_container(resources, "trainer")).get("HEADSHOTS_FOUNDATION")
    for service in ("gateway", "trainer"):
        settings = _settings(tree, service)
        seen = (settings.faces, settings.faces_dir)
        assert seen == (("people", Path("/opt/analyzers/people")) if paints else ("none", None))
