"""Imports go one way: services → headshots → headshots.errors; no service imports another; the product no foundry."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("gateway", "trainer", "generator")
# The demo is the only place where the product meets the world that the foundry draws.
FOUNDRY_USER = "headshots/demo/"


def modules(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")) if "v1" not in path.parts]
    assert found
    return found


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a module imports, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def offenders(paths: list[Path], *forbidden: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in paths
        for name in imports(path)
        if any(name == prefix or name.startswith(prefix + ".") for prefix in forbidden)
    ]


def test_the_library_imports_no_service() -> None:
    assert offenders(modules("headshots"), "services") == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_imports_no_other_service(service: str) -> None:
    others = [f"services.{other}" for other in SERVICES if other != service]
    assert offenders(modules(f"services/{service}"), *others) == []


def test_only_the_demo_meets_the_foundry() -> None:
    product = [
        path for path in modules("headshots", "services") if not str(path.relative_to(ROOT)).startswith(FOUNDRY_USER)
    ]
    assert offenders(product, "foundry") == []


def test_errors_import_nothing_of_ours() -> None:
    assert offenders([ROOT / "headshots" / "errors.py"], "headshots", "services") == []


@pytest.mark.parametrize("service", SERVICES)
def test_protobuf_stops_at_the_servicer(service: str) -> None:
    edge = {"servicer.py", "convert.py", "convert_photos.py", "rpc_peers.py", "wiring.py", "__main__.py"}
    inner = [path for path in modules(f"services/{service}") if path.name not in edge]
    assert offenders(inner, "headshots.v1", "google.protobuf", "grpc") == []
