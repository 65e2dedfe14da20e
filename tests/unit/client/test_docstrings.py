"""Every public method of the SDK lists in its docstring what its calls may raise, by the tables of docs/api.md."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator

import pytest

import headshots.errors as errors
from headshots.client import AsyncHeadshots, Headshots
from headshots.client.stub import METHODS
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")
CALLS = {call for calls in METHODS.values() for call in calls}
# What every call may raise stands once, in the docstring of the class.
OF_EVERY_CALL = (
    errors.UnauthenticatedError,
    errors.UnavailableError,
    errors.DeadlineExceededError,
    errors.ResourceExhaustedError,
    errors.InternalError,
)
# Where a name or a page is wrong, which any call with one tells.
OF_EVERY_REQUEST = {"NAME_INVALID", "CONSTRAINT_VIOLATED", "PAGE_TOKEN_INVALID"}
# Whoever writes streams of photos and watches by hand meets these; the SDK makes no such call.
OF_THE_SDK = {"UPLOAD_MALFORMED", "UPLOAD_INCOMPLETE", "AFTER_EVENT_UNKNOWN"}
# What the method does not ask for.
NEVER = {"download_images": {"STYLE_UNKNOWN"}, "remix_image": {"PRIORITY_NOT_GRANTED"}}


def _methods() -> Iterator[str]:
    found = inspect.getmembers(AsyncHeadshots, inspect.isfunction)
    return (name for name, _ in found if not name.startswith("_"))


def _reasons() -> dict[str, list[str]]:
    """By call, the reasons that the page lists for it."""
    rows = re.findall(r"^\| (\w+) \| [^|]* \| ([A-Z_, ]+) \|$", PAGE, re.MULTILINE)
    return {call: told.split(", ") for call, told in rows if call in CALLS}


STATUSES = {
    reason: re.findall(r"[A-Z_]+", statuses)
    for reason, statuses in re.findall(r"^\| ([A-Z][A-Z_]+) \| ([A-Z_]+(?:,? (?:or )?[A-Z_]+)*) \|", PAGE, re.MULTILINE)
}
REASONS = _reasons()
CLASSES = {
    cls.code.name: cls
    for cls in vars(errors).values()
    if isinstance(cls, type) and issubclass(cls, errors.HeadshotsError) and cls.__base__ is errors.HeadshotsError
}


def _called(name: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """The calls of the contract that a method makes, also by other methods."""
    method = getattr(AsyncHeadshots, name, None)
    if method is None or name in seen or not inspect.isfunction(method):
        return set()
    tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
    found = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in CALLS}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            found |= _called(node.attr, seen | {name})
    return found


def _listed(name: str) -> set[type[errors.HeadshotsError]]:
    """The classes that a docstring lists, or that of a method whose errors it says are its own."""
    told = inspect.getdoc(getattr(AsyncHeadshots, name)) or ""
    named = {getattr(errors, word) for word in re.findall(r"\w+Error\b", told) if hasattr(errors, word)}
    found = {base for cls in named for base in cls.__mro__ if issubclass(base, errors.HeadshotsError)}
    for others in re.findall(r"(?i:raises) what ([`\w, ]+?) raises?\b", told):
        found = found.union(*map(_listed, re.findall(r"`(\w+)`", others)))
    return found


@pytest.mark.parametrize("name", sorted(_methods()))
def test_a_method_lists_what_its_calls_raise(name: str) -> None:
    listed = _listed(name) | {*OF_EVERY_CALL}
    told = {reason for call in _called(name) for reason in REASONS.get(call, ())} - OF_EVERY_REQUEST - OF_THE_SDK
    told -= NEVER.get(name, set())
    # A reason of two classes is one of two calls, or of both.
    missing = [reason for reason in told if not listed & {CLASSES[status] for status in STATUSES[reason]}]
    assert sorted(missing) == []


def test_what_any_call_may_raise_stands_in_the_class() -> None:
    told = inspect.getdoc(AsyncHeadshots) or ""
    assert [cls.__name__ for cls in OF_EVERY_CALL if cls.__name__ not in told] == []
    assert "NAME_INVALID" in told
    assert "CONSTRAINT_VIOLATED" in told


def test_every_method_makes_a_call_that_the_page_knows() -> None:
    assert [name for name in _methods() if name != "close" and not _called(name)] == []
    assert {call for name in _methods() for call in _called(name)} <= {*REASONS, "GetTenant"}


def test_the_blocking_client_tells_the_same() -> None:
    for name in _methods():
        if name != "close":
            assert inspect.getdoc(getattr(Headshots, name)) == inspect.getdoc(getattr(AsyncHeadshots, name)), name
