"""Holds imports to one way: services → headshots → headshots.errors, room by room, and no circle anywhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.rooms import HOUSES, TABLES

SERVICES = ("gateway", "trainer", "generator")
# Files that put a service together and may import all of it.
WIRING = ("__main__", "wiring")
# The demo's people, and nothing else of the product, come from the world that the foundry draws.
FOUNDRY_USERS = ["headshots/demo/people.py"]
# Where protobuf stops.
EDGE = {"servicer.py", "convert.py", "rpc.py", "wiring.py", "__main__.py"}


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


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def arrows(house: str) -> dict[str, set[str]]:
    """Rooms of a folder, each with those that its modules import. A file at the top of the folder is a room."""
    found: dict[str, set[str]] = {}
    prefix = house.replace("/", ".") + "."
    for path in modules(house):
        room = dotted(path).removeprefix(prefix).partition(".")[0]
        if room in WIRING or (path.parent == ROOT / house and path.name == "__init__.py"):
            continue
        is_whole = prefix[:-1] in imports(path) and house != "headshots"
        assert not is_whole, f"{path.relative_to(ROOT)}: import a room, not the whole"
        inside = {name.removeprefix(prefix).partition(".")[0] for name in imports(path) if name.startswith(prefix)}
        found.setdefault(room, set()).update(inside - {room})
    return found


def assert_no_circle(graph: Mapping[str, Set[str]]) -> None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(f"a circle: {' imports '.join(reversed(error.args[1]))}") from None


@pytest.mark.parametrize("house", HOUSES)
def test_rooms_import_what_the_table_allows_and_nothing_else(house: str) -> None:
    found, allowed = arrows(house), HOUSES[house]
    new = [f"{room} imports {other}" for room in found for other in found[room] - set(allowed.get(room, {}))]
    gone = [f"{room} imports {other}" for room in allowed for other in set(allowed[room]) - found.get(room, set())]
    assert new == [], "new arrows: write each into tests/support/rooms.py with its reason, or move the code"
    assert gone == [], "arrows that are no more: take them out of tests/support/rooms.py"


@pytest.mark.parametrize("house", HOUSES)
def test_the_table_has_reasons_and_no_circle(house: str) -> None:
    allowed = HOUSES[house]
    assert all(len(reason) > 5 for others in allowed.values() for reason in others.values())
    assert_no_circle({room: set(others) for room, others in allowed.items()})


def test_no_two_modules_import_each_other_on_any_way_round() -> None:
    paths = modules("headshots", "services", "foundry", "benchmarks")
    names = {dotted(path) for path in paths}
    graph: dict[str, set[str]] = {}
    for path in paths:
        # `from a.b import c` names the module a.b.c, or something within a.b.
        targets = {name if name in names else name.rpartition(".")[0] for name in imports(path)}
        graph[dotted(path)] = (targets & names) - {dotted(path)}
    assert_no_circle(graph)


def test_rooms_leave_other_rooms_tables_alone() -> None:
    used: dict[str, set[str]] = {}
    for path in modules("services"):
        names = [name for name in imports(path) if name.startswith("headshots.schema")]
        assert "headshots.schema" not in names, f"{path.relative_to(ROOT)}: import the tables by name"
        tables = {name.rpartition(".")[2] for name in names if name.rpartition(".")[2].islower()}
        if tables:
            used.setdefault(".".join(dotted(path).split(".")[1:3]), set()).update(tables)
    assert used == {room: set(tables) for room, tables in TABLES.items()}, "see TABLES in tests/support/rooms.py"


def test_the_library_imports_no_service() -> None:
    assert offenders(modules("headshots"), "services") == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_imports_no_other_service(service: str) -> None:
    others = [f"services.{other}" for other in SERVICES if other != service]
    assert offenders(modules(f"services/{service}"), *others) == []


def test_only_the_demo_meets_the_foundry() -> None:
    users = {line.partition(" ")[0] for line in offenders(modules("headshots", "services"), "foundry")}
    assert sorted(users) == FOUNDRY_USERS


def test_errors_import_nothing_of_ours() -> None:
    assert offenders([ROOT / "headshots" / "errors.py"], "headshots", "services") == []


@pytest.mark.parametrize("service", SERVICES)
def test_protobuf_stops_at_the_servicer(service: str) -> None:
    inner = [path for path in modules(f"services/{service}") if path.name not in EDGE]
    assert offenders(inner, "headshots.v1", "google.protobuf", "grpc") == []
