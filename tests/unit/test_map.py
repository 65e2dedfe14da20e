"""Holds the table "Where is …?" of docs/architecture.md to the tree: every place exists and defines what it names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

ROW = re.compile(r"^\| ([^|]+) \| `([\w/.]+)` `(\w+)` \|$")
_, _, SECTION = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("## Where is …?\n")
LINES = [line for line in SECTION.split("\n## ")[0].splitlines() if line.startswith("|")][2:]


def defined(path: Path) -> set[str]:
    """Names that a module defines at its top."""
    names: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize("line", LINES)
def test_the_place_exists(line: str) -> None:
    row = ROW.match(line)
    assert row is not None, "a row reads | question | `path` `name` |"
    assert row[3] in defined(ROOT / row[2])


def test_the_map_has_everyday_questions_each_once() -> None:
    questions = [line.split("|")[1].strip() for line in LINES]
    assert len(questions) >= 25
    assert len(set(questions)) == len(questions)
