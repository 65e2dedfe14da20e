"""constraints.txt pins all that headshots[dev] brings in, and it is what these tests run on."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.deploy.tree import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PIN = re.compile(r"([a-z0-9-]+)==([^\s+]+)")


def _pins() -> dict[str, str]:
    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            match = PIN.fullmatch(line)
            assert match, f"{line!r} is not a pin like name==1.2.3"
            pins[match[1]] = match[2]
    return pins


def _closure(name: str, extras: frozenset[str], seen: set[tuple[str, frozenset[str]]]) -> None:
    """Every distribution that ``name[extras]`` needs on this machine, with the extras that are asked of it."""
    if (name, extras) in seen:
        return
    seen.add((name, extras))
    if name == "headshots":
        optional = PROJECT["optional-dependencies"]
        needed = [*PROJECT["dependencies"], *(line for extra in extras for line in optional[extra])]
    else:
        needed = list(distribution(name).requires or ())
    for line in needed:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            _closure(canonicalize_name(requirement.name), frozenset(requirement.extras), seen)


def _needed() -> set[str]:
    seen: set[tuple[str, frozenset[str]]] = set()
    _closure("headshots", frozenset({"dev"}), seen)
    return {name for name, _ in seen} - {"headshots"}


def test_every_dependency_is_pinned_at_the_version_that_is_installed() -> None:
    pins = _pins()
    wrong = {}
    for name in sorted(_needed()):
        installed = distribution(name).version.split("+")[0]
        if pins.get(name) != installed:
            wrong[name] = f"pinned {pins.get(name)}, installed {installed}"
    assert not wrong


def test_nothing_else_is_pinned() -> None:
    # The build backend; and ONNX Runtime's CUDA build, which cannot be installed beside the other.
    surplus = _pins().keys() - _needed() - {"setuptools", "onnxruntime-gpu"}
    # Pins for other systems and Pythons are welcome as long as they are not installed here.
    installed = set()
    for name in surplus:
        try:
            installed.add(distribution(name).metadata["Name"])
        except PackageNotFoundError:
            continue
    assert not installed


def test_torch_is_pinned_so_that_both_the_plain_and_the_cpu_wheel_fit() -> None:
    assert _pins()["torch"] == "2.13.0"
