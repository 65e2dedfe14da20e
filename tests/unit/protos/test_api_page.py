"""Holds the tables of docs/api.md to the protos and to the code: every call, every reason and its gRPC status."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from google.protobuf.descriptor import MethodDescriptor

import headshots.errors as errors
from tests.support.contract import CALLS, SERVICES, constraint, inputs, name_of
from tests.support.paths import ROOT

# Fields that hold names of resources, and the reason where there is none of that kind.
NAMES = ("name", "parent", "image", "photos", "training", "subject", "pack", "look")
NOT_FOUND = {
    "subjects": "SUBJECT_NOT_FOUND",
    "photos": "PHOTO_NOT_FOUND",
    "trainings": "TRAINING_NOT_FOUND",
    "galleries": "GALLERY_NOT_FOUND",
    "images": "IMAGE_NOT_FOUND",
    "styles": "STYLE_NOT_FOUND",
    "foundations": "FOUNDATION_NOT_FOUND",
    "packs": "PACK_NOT_FOUND",
    "profiles": "PROFILE_NOT_FOUND",
    "shoots": "SHOOT_NOT_FOUND",
    "erasures": "ERASURE_NOT_FOUND",
    "looks": "LOOK_NOT_FOUND",
    "teams": "TEAM_NOT_FOUND",
}
# What calls with lists of names may not find.
LISTED_NAMES = {
    "CreateTraining": {"PHOTO_NOT_FOUND", "FOUNDATION_NOT_FOUND"},
    "CreateShoot": {"PHOTO_NOT_FOUND", "FOUNDATION_NOT_FOUND"},
    "CreateImageLinks": {"IMAGE_NOT_FOUND"},
    "CreateTeam": {"SUBJECT_NOT_FOUND"},
    "AddTeamMembers": {"SUBJECT_NOT_FOUND"},
}
# Code that runs within a call; what it raises reaches the caller.
WITHIN_CALLS = (
    *sorted((ROOT / "services" / "gateway").rglob("*.py")),
    *sorted((ROOT / "headshots" / "imaging").rglob("*.py")),
    # The gateway asks a generator whether it would refuse a request.
    *(ROOT / "services" / "generator" / "requests" / name for name in ("checking.py", "plan.py")),
    *sorted((ROOT / "headshots" / "keys").rglob("*.py")),
    *sorted((ROOT / "headshots" / "stores").rglob("*.py")),
    *sorted((ROOT / "headshots" / "styles").rglob("*.py")),
    *(ROOT / "headshots" / name for name in ("artifacts.py", "database.py")),
    *(ROOT / "headshots" / "rpc" / name for name in ("auth.py", "parsing.py", "validation.py")),
)
# Functions that build an error of a reason.
BUILDERS = {"stream_error": errors.InvalidArgumentError, "not_found": errors.NotFoundError}
# Raised by this code, but not within a public call.
NEVER_TOLD = {
    "ADDRESS_IN_USE": "at the start",
    "API_KEY_NOT_FOUND": "of `headshots keys`",
    "DATABASE_URL_INVALID": "at the start",
    "ERASURE_INCOMPLETE": "of a sweep, which tries again",
    "GENERATOR_CUT": "the shot is tried again",
    "GENERATOR_LATE": "the shot is tried again",
    "GENERATOR_PROTOCOL": "fails the shot",
    "GENERATOR_SILENT": "fails the shot",
    "GUIDANCE_INTERVAL_INVALID": "the gateway sends no interval",
    "HIGH_LIMIT_INVALID": "of `headshots tenants`",
    "HIGH_WEIGHT_INVALID": "of `headshots tenants`",
    "KEY_INVALID": "the object store's keys are our own",
    "NOISE_INVALID": "the gateway sends no noise",
    "OBJECT_DIGEST_MISMATCH": "trainers and generators ask for a digest, the gateway does not",
    "OUTPUT_PREFIX_INVALID": "the gateway's prefixes are its own",
    "POOL_UNKNOWN": "the training waits",
    "PROMPT_TEMPLATE_INVALID": "fails the shot",
    "SCALER_PER_REPLICA_INVALID": "told to KEDA",
    "SCALER_POOL_UNKNOWN": "told to KEDA",
    "SETTING_INVALID": "at the start",
    "STORE_URL_INVALID": "at the start",
    "STYLES_MISSING": "at the start",
    "TENANT_ID_INVALID": "of `headshots keys`",
    "TENANT_NOT_FOUND": "of `headshots tenants`",
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


def first_arguments(function: str, paths: Sequence[Path]) -> set[str]:
    """The constant first arguments of all calls of a function."""
    calls = [
        node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)
    ]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == function and call.args]
    return {str(call.args[0].value) for call in named if isinstance(call.args[0], ast.Constant)}


def test_no_reason_is_made_up_of_parts() -> None:
    """The tables could not be held to it; where one is, it is named here with the reasons that it may give."""
    found = set()
    for path in WITHIN_CALLS:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            is_error = (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and hasattr(getattr(errors, node.func.id, None), "code")
            )
            if is_error and node.args and isinstance(node.args[0], ast.JoinedStr):
                found.add(ast.unparse(node.args[0]))
    assert found == {"f'{peer.upper()}_UNREACHABLE'"}, "a peer's: shots and trainings wait"


@pytest.mark.parametrize("service", SERVICES)
def test_the_page_tells_of_every_call(service: str) -> None:
    assert [row[0] for row in rows(service)] == [method.name for method in SERVICES[service].methods]


def test_the_page_tells_every_reason_with_its_status() -> None:
    told = {row[0]: set(row[1].split(", ")) for row in (*rows("Reasons"), *rows("Any call"))}
    found = raised()
    assert told == {reason: codes for reason, codes in found.items() if reason not in NEVER_TOLD}
    assert [reason for reason in NEVER_TOLD if reason not in found] == []


@pytest.mark.parametrize("call", CALLS, ids=name_of)
def test_a_call_tells_what_its_names_and_pages_may_meet(call: MethodDescriptor) -> None:
    """The least that follows from its request; which rules of its own it has, the tests of its room show."""
    (row,) = [row for row in rows(call.containing_service.name) if row[0] == call.name]
    told = set(row[2].split(", ")) - {""}
    assert ("PAGE_TOKEN_INVALID" in told) == call.name.startswith("List")
    patterns = [constraint(field).string.pattern for field in inputs(call.input_type) if field.name in NAMES]
    nouns = [re.findall(r"([a-z]+)/\[", pattern) for pattern in patterns]
    for noun in {noun for found in nouns for noun in found}:
        assert NOT_FOUND[noun] in told, f"{call.name} takes names of {noun}"
    assert {reason for reason in told if reason in NOT_FOUND.values()} <= {
        NOT_FOUND[noun] for found in nouns for noun in found
    } | LISTED_NAMES.get(call.name, set())


def test_the_page_tells_every_finding() -> None:
    text = (ROOT / "docs" / "api.md").read_text("utf-8").split("## What inspections find\n")[1].split("\n## ")[0]
    assert set(re.findall(r"\b[A-Z]{2,}(?:_[A-Z]+)*\b", text)) == first_arguments("Finding", WITHIN_CALLS)


def test_the_page_tells_how_trainings_and_galleries_fail() -> None:
    text = (ROOT / "docs" / "api.md").read_text("utf-8").split("## Why a job failed\n")[1].split("\n## ")[0]
    told = set(re.findall(r"`?\b([A-Z]{3,}(?:_[A-Z]+)+|INTERNAL)\b`?", text))
    library = ("diffusion", "imaging", "marking", "artifacts.py", "stores")
    folders = ("services", *(f"headshots/{name}" for name in library))
    paths = [path for name in folders for path in (sorted((ROOT / name).rglob("*.py")) or [ROOT / name])]
    code = "".join(path.read_text("utf-8") for path in paths)
    assert [reason for reason in told if f'"{reason}"' not in code] == []
    named = set(re.findall(r'Failure\(\s*"([A-Z_]+)"', code))
    assert named <= told, "a job may fail with it"


def test_every_reason_belongs_to_a_call() -> None:
    reasons = [row[0] for row in rows("Reasons")]
    assert reasons == sorted(reasons)
    of_calls = {reason for name in SERVICES for row in rows(name) for reason in row[2].split(", ") if reason}
    assert of_calls == set(reasons)
