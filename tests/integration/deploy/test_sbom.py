"""The bills of materials name every distribution of each image, with version, licence and package URL."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from headshots.diffusion.publish import exclusive
from tests.support.deploy.tree import ROOT

PINS = dict(re.findall(r"^([a-z0-9-]+)==([^\s+]+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
DOCKERFILE, MAKEFILE = (ROOT / "deploy/docker/Dockerfile").read_text(), (ROOT / "Makefile").read_text()


@pytest.fixture(scope="module")
def sbom() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sbom", ROOT / "deploy" / "sbom.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_make_and_the_images_list_with_the_same_tool() -> None:
    (pinned,) = set(re.findall(r"cyclonedx-bom==[\d.]+", MAKEFILE + DOCKERFILE))
    assert pinned in MAKEFILE
    assert pinned in DOCKERFILE


def test_the_images_are_those_that_the_page_builds(sbom: ModuleType) -> None:
    page = (ROOT / "docs/operations.md").read_text()
    commands = page.replace("\\\n", "").split("docker build ")[1:]
    built = {}
    for command in (command.split("\n")[0] for command in commands):
        service, extra = (re.search(rf"{name}=(\S+)", command) for name in ("SERVICE", "EXTRA"))
        image = re.search(r"-t headshots-(\w+):0\.1\.0 \.$", command)
        # Those with an analyzer for real people stand in for these.
        if service and image and "ANALYZER" not in command:
            built[image[1]] = extra[1] if extra else service[1]
    assert built == sbom.IMAGES
    assert f'".[${{EXTRA}},{sbom.ALWAYS}]"' in DOCKERFILE


def test_what_an_image_needs_is_found_through_extras_of_extras(sbom: ModuleType) -> None:
    names = {image: sbom.names_of(image) for image in sbom.IMAGES}
    assert all("opentelemetry-sdk" in each for each in names.values())
    assert {"grpcio", "protovalidate", "sqlalchemy", "psycopg-binary", "pillow-heif", "c2pa-python"} <= names["gateway"]
    assert {"torch", "peft", "onnxruntime", "psycopg-binary"} <= names["trainer"]
    assert {"torch", "onnx"} <= names["exporter"]
    # Where the machine has a wheel of it; the trainer runs on asyncio's own loop (decision 51).
    assert {image for image, each in names.items() if "uvloop" in each} == {"gateway", "generator"}
    # What docs/architecture.md promises of them.
    assert not {"torch", "diffusers", "peft", "transformers"} & (names["generator"] | names["gateway"])
    assert not {"pytest", "mypy", "headshots"} & set().union(*names.values())


@pytest.mark.slow
def test_every_pinned_distribution_of_every_image_is_listed_with_version_licence_and_url(
    sbom: ModuleType, tmp_path: Path
) -> None:
    """Installs the pinned tool, and lists with it: ``pytest -m slow tests/integration/deploy/test_sbom.py``."""
    assert sbom.main(str(cyclonedx()), tmp_path) == 0
    for image in sbom.IMAGES:
        bom = json.loads((tmp_path / f"{image}.cdx.json").read_text())
        assert bom["bomFormat"] == "CycloneDX"
        assert bom["metadata"]["component"]["name"] == f"headshots-{image}"
        components = {canonicalize_name(one["name"]): one for one in bom["components"]}
        assert components.keys() == sbom.names_of(image)
        assert {name: version(one) for name, one in components.items()} == {name: PINS[name] for name in components}
        for name, one in components.items():
            assert one["purl"].startswith(f"pkg:pypi/{name}@{PINS[name]}"), one["purl"]
            assert one["licenses"], f"{name}: say its licence in deploy/sbom.py"
        refs = {one["bom-ref"] for one in bom["components"]} | {bom["metadata"]["component"]["bom-ref"]}
        assert {ref for one in bom["dependencies"] for ref in (one["ref"], *one["dependsOn"])} == refs


def version(component: dict[str, Any]) -> str:
    """Without the build: `2.13.0+cpu`."""
    return str(component["version"]).partition("+")[0]


def cyclonedx() -> Path:
    """The tool that `make sbom` uses, installed into a folder of the tests' own."""
    (pinned,) = set(re.findall(r"cyclonedx-bom==[\d.]+", MAKEFILE))
    folder = ROOT / ".pytest_cache" / "sbom" / pinned
    folder.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(folder.parent):
        if not (folder / "bin" / "cyclonedx-py").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            subprocess.run([folder / "bin" / "pip", "install", "-q", pinned], check=True)
    return folder / "bin" / "cyclonedx-py"
