"""Holds the tables of docs/api.md to the protos and to the code: every call, every reason and its gRPC status."""

from __future__ import annotations

import ast
import re

import pytest

import headshots.errors as errors
from tests.support.contract import SERVICES
from tests.support.paths import ROOT

# Code that runs within a call; what it raises reaches the caller.
WITHIN_CALLS = (
    *sorted((ROOT / "services" / "gateway").rglob("*.py")),
    *sorted((ROOT / "headshots" / "imaging").rglob("*.py")),
    *(ROOT / "headshots" / name for name in ("artifacts.py", "database.py", "keys.py", "styles.py")),
    *(ROOT / "headshots" / "rpc" / name for name in ("auth.py", "parsing.py", "validation.py")),
)
# Functions that build an error of a reason.
BUILDERS = {"stream_error": errors.InvalidArgumentError, "not_found": errors.NotFoundError}
# Raised by this code, but not within a public call.
NEVER_TOLD = {
    "API_KEY_NOT_FOUND": "of `headshots keys`",
    "DATABASE_URL_INVALID": "at the start",
    "GENERATOR_CUT": "the shot is tried again",
    "GENERATOR_PROTOCOL": "fails the shot",
    "GENERATOR_SILENT": "fails the shot",
    "GENERATOR_UNREACHABLE": "the shot waits; an eviction is logged",
    "KEY_INVALID": "the object store's keys are our own",
    "OBJECT_DIGEST_MISMATCH": "trainers and generators ask for a digest, the gateway does not",
    "PROMPT_TEMPLATE_INVALID": "fails the shot",
    "SETTING_INVALID": "at the start",
    "STORE_URL_INVALID": "at the start",
    "STYLES_MISSING": "at the start",
    "STYLE_INVALID": "at the start",
    "TENANT_ID_INVALID": "of `headshots keys`",
}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    section = re.search(rf"^#+ {heading}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert section is not None, f"docs/api.md has no heading {heading}"
    lines = [line for line in section[1].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def raised() -> dict[str, set[str]]:
    """Reasons that code within a call raises, each with its gRPC statuses."""
    found: dict[str, set[str]] = {}
    for path in WITHIN_CALLS:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
                continue
            reason = node.args[0]
            cls = BUILDERS.get(node.func.id, getattr(errors, node.func.id, None))
            if hasattr(cls, "code") and isinstance(reason, ast.Constant) and isinstance(reason.value, str):
                found.setdefault(reason.value, set()).add(cls.code.name)
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_the_page_tells_of_every_call(service: str) -> None:
    assert [row[0] for row in rows(service)] == [method.name for method in SERVICES[service].methods]


def test_the_page_tells_every_reason_with_its_status() -> None:
    told = {row[0]: set(row[1].split(", ")) for row in (*rows("Reasons"), *rows("Any call"))}
    found = raised()
    assert told == {reason: codes for reason, codes in found.items() if reason not in NEVER_TOLD}
    assert [reason for reason in NEVER_TOLD if reason not in found] == []


def test_every_reason_belongs_to_a_call() -> None:
    reasons = [row[0] for row in rows("Reasons")]
    assert reasons == sorted(reasons)
    of_calls = {reason for name in SERVICES for row in rows(name) for reason in row[2].split(", ") if reason}
    assert of_calls == set(reasons)
