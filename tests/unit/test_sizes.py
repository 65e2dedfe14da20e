"""Holds the tree to small rooms: a dozen modules a folder of a service, 250 lines a module, 40 a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

MODULES, LINES, FUNCTION_LINES = 12, 250, 40
FOLDERS = ("services", "headshots", "foundry", "benchmarks", "tests")
# A log, not a room: a file is added at its end, and none is ever taken out or moved.
LOG = ROOT / "headshots" / "migrations" / "versions"


def modules(folder: str) -> list[Path]:
    found = [path for path in sorted((ROOT / folder).rglob("*.py")) if "_pb2" not in path.name]
    assert found
    return found


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Names with their lines, from `def` to the last."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("folder", ["services", "headshots"])
def test_a_folder_holds_at_most_a_dozen_modules(folder: str) -> None:
    rooms: dict[Path, int] = {}
    for path in modules(folder):
        rooms[path.parent] = rooms.get(path.parent, 0) + (path.name not in ("__init__.py", "__main__.py"))
    assert [str(room) for room, count in rooms.items() if count > MODULES and room != LOG] == []


@pytest.mark.parametrize("folder", FOLDERS[:-1])
def test_a_module_is_read_in_one_sitting(folder: str) -> None:
    assert [str(path) for path in modules(folder) if len(path.read_text("utf-8").splitlines()) > LINES] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_fits_on_a_screen(folder: str) -> None:
    long = [f"{path}: {name}" for path in modules(folder) for name, lines in functions(path) if lines > FUNCTION_LINES]
    assert long == []
