"""Compares the digests of two runs."""

from __future__ import annotations

from collections.abc import Mapping


def compare(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[list[str], bool]:
    """A line an item, with its state and its name, and last their number; and whether all are equal.

    Two runs that made nothing are not equal: then nothing was compared.
    """
    names = sorted({*before, *after})
    states = {name: _state(before.get(name), after.get(name)) for name in names}
    equal = sum(state == "equal" for state in states.values())
    lines = [f"{state:<11}  {name}" for name, state in states.items()]
    return [*lines, f"{equal} of {len(names)} are equal"], bool(names) and equal == len(names)


def _state(before: str | None, after: str | None) -> str:
    if before is None:
        return "only after"
    if after is None:
        return "only before"
    return "equal" if before == after else "different"
