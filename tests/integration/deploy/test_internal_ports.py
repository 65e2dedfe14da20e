"""The manifests close the internal ports: who has which certificate, and a recipe that makes them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from headshots.rpc.internal.secret import Secret
from services.gateway.settings import GatewaySettings
from services.generator.settings import GeneratorSettings
from services.trainer.settings import TrainerSettings
from tests.support.certificates import settings_with
from tests.support.deploy.tree import (
    ROOT,
    SERVICES,
    TREES,
    build,
    main_container,
    named,
    of_kind,
    pod_spec,
    settings_environment,
)

SETTINGS = {"gateway": GatewaySettings, "trainer": TrainerSettings, "generator": GeneratorSettings}
CALLED = ("trainer", "generator")


def mounted(tree: str, service: str) -> dict[Path, str]:
    """Where Secrets are mounted, and their names."""
    resources = build(tree)
    volumes = {volume["name"]: volume for volume in pod_spec(named(resources, "Deployment", service))["volumes"]}
    mounts = main_container(resources, service)["volumeMounts"]
    return {
        Path(mount["mountPath"]): volumes[mount["name"]]["secret"]["secretName"]
        for mount in mounts
        if "secret" in volumes[mount["name"]] and mount["readOnly"] and "subPath" not in mount
    }


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("tree", TREES)
def test_the_files_of_the_settings_are_mounted_whole(tree: str, service: str) -> None:
    """As folders: with a subPath a renewed file would never appear."""
    resources = build(tree)
    environment = settings_environment(resources, main_container(resources, service))
    internal = SETTINGS[service].from_environment({"HEADSHOTS_HOME": "/scratch", **environment}).internal  # type: ignore[attr-defined]
    secrets = mounted(tree, service)
    assert secrets[internal.key_file.parent] == "headshots-internal-key"
    files = (internal.certificate_file, internal.certificate_key_file, internal.ca_file)
    # The names that cert-manager writes.
    assert [path.name for path in files] == ["tls.crt", "tls.key", "ca.crt"]
    assert {secrets[path.parent] for path in files} == {f"{service}-tls"}


@pytest.mark.parametrize("tree", TREES)
def test_no_service_leads_to_the_port_that_answers_probes(tree: str) -> None:
    resources = build(tree)
    for name in CALLED:
        assert [port["targetPort"] for port in named(resources, "Service", name)["spec"]["ports"]] == ["grpc"]


def test_cert_manager_writes_the_secrets_that_are_mounted() -> None:
    tree = "overlays/production"
    resources = build(tree)
    issuers = {one["metadata"]["name"]: one["spec"] for one in of_kind(resources, "Issuer")}
    authority = named(resources, "Certificate", "internal-ca")["spec"]
    assert issuers[authority["issuerRef"]["name"]] == {"selfSigned": {}}
    environment = settings_environment(resources, main_container(resources, "gateway"))
    for service in SERVICES:
        spec = named(resources, "Certificate", service)["spec"]
        assert spec["secretName"] in mounted(tree, service).values()
        assert issuers[spec["issuerRef"]["name"]] == {"ca": {"secretName": authority["secretName"]}}
        assert ("server auth" in spec["usages"]) == (service in CALLED)
        assert ("client auth" in spec["usages"]) == (service == "gateway")
    for service in CALLED:
        host, _, _ = environment[f"HEADSHOTS_GATEWAY_{service.upper()}_ADDRESS"].partition(":")
        assert host in named(resources, "Certificate", service)["spec"]["dnsNames"]


def test_the_recipe_makes_files_that_work_and_renews_them(tmp_path: Path) -> None:
    folder = tmp_path / "internal"
    made = []
    for _ in range(2):
        subprocess.run([ROOT / "deploy" / "internal-secrets.sh", folder], check=True)
        for service in SERVICES:
            settings_with(folder / service, tmp_path).certificates(server=service in CALLED)
            certificate = str(folder / service / "tls.crt")
            for name in (service, f"{service}.headshots.svc"):
                check = ["openssl", "x509", "-in", certificate, "-noout", "-checkhost", name]
                assert "does match" in subprocess.run(check, capture_output=True, text=True, check=True).stdout
        made.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()})
        assert len(Secret(folder / "grants.key").signing) == 32
    kept = {str(path) for path, data in made[0].items() if made[1][path] == data}
    assert {"ca.key", "ca.crt", "grants.key"} <= kept
    assert not {f"{service}/tls.crt" for service in SERVICES} & kept
    assert {path.stat().st_mode & 0o077 for path in folder.rglob("*")} == {0}
