"""Writes what each image installs as a CycloneDX bill of materials: `make sbom`, or this with the tool and a folder.

cyclonedx-py lists all that this Python has, with licences and package URLs; of that, an image gets the component of
every distribution that its extra of pyproject.toml brings in. An image that was built has the list of its environment
in /app/sbom.cdx.json: these are for comparing two releases, and for asking before anything is built.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
IMAGES = {"gateway": "gateway", "trainer": "trainer", "generator": "generator", "exporter": "export"}
"""The images for CPUs and their extras, as docs/operations.md builds them without an analyzer."""
ALWAYS = "traces"
"""The extra that the Dockerfile adds to each."""
# Of distributions whose metadata names no licence, as their files LICENSE have it.
_LICENCES = {"protobuf": "BSD-3-Clause", "transformers": "Apache-2.0"}

_PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

Bom = dict[str, Any]


def closure(name: str, extras: frozenset[str]) -> set[str]:
    """Canonical names of all that ``name[extras]`` needs on this machine, itself left out."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(canonicalize_name(name), extras)]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        waiting += [(canonicalize_name(each.name), frozenset(each.extras)) for each in _needs(*one)]
    return {found for found, _ in seen} - {canonicalize_name(name)}


def _needs(name: str, extras: frozenset[str]) -> list[Requirement]:
    """What a distribution needs itself, with these extras; ours by this checkout: what is installed may be older."""
    if name == _PROJECT["name"]:
        optional = _PROJECT["optional-dependencies"]
        lines = [*_PROJECT["dependencies"], *(line for extra in sorted(extras) for line in optional[extra])]
    else:
        lines = requires(name) or []
    found = [Requirement(line) for line in lines]
    return [
        each
        for each in found
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    ]


def names_of(image: str) -> set[str]:
    """Canonical names of all that an image has."""
    return closure("headshots", frozenset({IMAGES[image], ALWAYS}))


def part(bom: Bom, image: str, names: set[str]) -> Bom:
    """Of a bill of everything, the part that has these names."""
    components = [one for one in bom["components"] if canonicalize_name(one["name"]) in names]
    for one in components:
        if not one.get("licenses") and one["name"] in _LICENCES:
            one["licenses"] = [{"license": {"id": _LICENCES[one["name"]], "acknowledgement": "concluded"}}]
    root = bom["metadata"]["component"]
    kept = {one["bom-ref"] for one in components} | {root["bom-ref"]}
    dependencies = [
        {**one, "dependsOn": [ref for ref in one.get("dependsOn", ()) if ref in kept]}
        for one in bom["dependencies"]
        if one["ref"] in kept
    ]
    metadata = {**bom["metadata"], "component": {**root, "name": f"headshots-{image}"}}
    return {**bom, "metadata": metadata, "components": components, "dependencies": dependencies}


def main(tool: str, out: Path) -> int:
    """Run ``tool`` (cyclonedx-py) on this Python, and write a file an image."""
    project = str(ROOT / "pyproject.toml")
    listing = [tool, "environment", "--pyproject", project, "--output-reproducible", "--of", "JSON", sys.executable]
    done = subprocess.run(listing, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        return done.returncode
    bom = json.loads(done.stdout)
    out.mkdir(parents=True, exist_ok=True)
    for image in IMAGES:
        try:
            names = names_of(image)
        except PackageNotFoundError as error:
            print(f"{error.name} is not installed, and the image {image} has it: run `make sbom`", file=sys.stderr)
            return 1
        found = part(bom, image, names)
        path = out / f"{image}.cdx.json"
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(f"{path}: {len(found['components'])} distributions")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
