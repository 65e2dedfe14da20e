"""components/traces says what the services' telemetry reads, and lets them reach the collector that it names."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from headshots.telemetry.settings import TelemetrySettings
from tests.support.deploy import tree
from tests.support.deploy.tree import SERVICES, main_container, named, settings_environment
from tests.support.paths import ROOT


@pytest.fixture
def resources(tmp_path: Path) -> list[dict[str, Any]]:
    """The base with the component."""
    tree.build("base")  # skips where there is no Kustomize
    command = tree._kustomize()
    assert command is not None
    overlay = {"resources": [_from(tmp_path, "base")], "components": [_from(tmp_path, "components/traces")]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({**overlay, "namespace": "headshots"}))
    built = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=True)
    return [each for each in yaml.load_all(built.stdout, tree.QUICK_LOADER) if each]


def _from(folder: Path, part: str) -> str:
    return os.path.relpath(ROOT / "deploy" / "k8s" / part, folder.resolve())


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_sends_traces_and_writes_json(resources: list[dict[str, Any]], service: str) -> None:
    environment = settings_environment(resources, main_container(resources, service))
    read = TelemetrySettings.from_environment(service, environment)
    assert read.log_format == "json"
    assert read.tracing is not None
    assert read.tracing.service_name == f"headshots-{service}"
    assert read.tracing.ratio == 0.1
    address = urlsplit(read.tracing.endpoint)
    policy = named(resources, "NetworkPolicy", "traces")["spec"]
    (rule,) = policy["egress"]
    assert [port["port"] for port in rule["ports"]] == [address.port]
    (to,) = rule["to"]
    namespace = to["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    assert (address.hostname or "").split(".")[1] == namespace
    (who,) = policy["podSelector"]["matchExpressions"]
    assert service in who["values"]
