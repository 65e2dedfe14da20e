"""Reads the patterns of layer names that :mod:`headshots.diffusion.lora.patterns` matches.

What is read is a subset of Python's regular expressions with the same meaning; all else is refused, so that no file
means one thing here and another to PEFT.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Test: TypeAlias = Callable[[str], bool]
"""Whether one character is taken."""
Node: TypeAlias = "Sequence | Either | Repeat | Test"

_MOST_CHARACTERS = 1024
_DEEPEST = 20
_SPECIAL = set(r"\.^$*+?{}[]()|")


@dataclass(frozen=True)
class Sequence:
    """One after another."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Either:
    """One of them."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Repeat:
    """So many times; ``most`` None: any number."""

    part: Node
    least: int
    most: int | None


def alternatives(pattern: str) -> list[tuple[bool, Node]]:
    """The alternatives of a pattern that are in no group, and of each whether it matches whole names only (``^``).

    Raises:
        ValueError: not read, with why.
    """
    if len(pattern) > _MOST_CHARACTERS:
        raise ValueError(f"it has {len(pattern)} characters; at most {_MOST_CHARACTERS} are read")
    return _Parser(pattern).whole()


class _Parser:
    """Recursive descent; ``_left`` is what is still to be read, backwards."""

    def __init__(self, pattern: str) -> None:
        self._left = list(reversed(pattern))
        self._depth = 0

    def whole(self) -> list[tuple[bool, Node]]:
        """Everything."""
        found = []
        while True:
            anchored = self._take("^")
            found.append((anchored, self._sequence()))
            self._take("$")
            if not self._left:
                return found
            if not self._take("|"):
                raise ValueError(f"{self._left[-1]!r} is not read there")

    def _take(self, character: str) -> bool:
        """Read a character if it comes next."""
        if self._left and self._left[-1] == character:
            self._left.pop()
            return True
        return False

    def _next(self) -> str:
        if not self._left:
            raise ValueError("it ends too early")
        return self._left.pop()

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._left and self._left[-1] not in "|)$":
            parts.append(self._repeated(self._atom()))
        return Sequence(tuple(parts))

    def _atom(self) -> Node:
        character = self._next()
        if character == "(":
            return self._group()
        if character == "[":
            return self._class()
        if character == "\\":
            return self._escape()
        if character == ".":
            return _but_newlines
        if character in _SPECIAL:
            raise ValueError(f"{character!r} is not read there")
        return character.__eq__

    def _group(self) -> Node:
        if self._take("?") and not self._take(":"):
            raise ValueError("of groups that begin with (? only (?: is read")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f"its groups are deeper than {_DEEPEST}")
        parts = [self._sequence()]
        while self._take("|"):
            parts.append(self._sequence())
        if not self._take(")"):
            raise ValueError("a group is not closed, or has a $ in it")
        self._depth -= 1
        return Either(tuple(parts))

    def _escape(self) -> Test:
        character = self._next()
        if character in _CLASSES:
            return _CLASSES[character]
        if character in string.punctuation:
            return character.__eq__
        raise ValueError(f"\\{character} is not read")

    def _class(self) -> Test:
        """``[a-z_]`` and ``[^a-z_]``."""
        negated = self._take("^")
        tests: list[Test] = []
        while not self._take("]"):
            tests.append(self._member(is_first=not tests))
        if not tests:
            raise ValueError("a class is empty")
        return lambda character: any(test(character) for test in tests) != negated

    def _member(self, is_first: bool) -> Test:
        """A character, an escape or a range of a class."""
        character = self._next()
        if character == "\\":
            test = self._escape()
        elif character.isalnum() or character in "_./" or (character == "-" and (is_first or self._left[-1:] == ["]"])):
            test = character.__eq__
        else:
            raise ValueError(f"{character!r} is not read there within a class; write \\{character}")
        if self._left[-1:] != ["-"] or self._left[-2:-1] == ["]"]:
            return test
        self._left.pop()
        last = self._next()
        if character in "\\-" or not last.isalnum() or last < character:
            raise ValueError(f"{character}-{last} is no range of letters or digits")
        return lambda other: character <= other <= last

    def _repeated(self, part: Node) -> Node:
        bounds = self._bounds()
        if bounds is None:
            return part
        # Lazy and greedy find different ways through a name, but match the same ones.
        self._take("?")
        if self._left and self._left[-1] in "*+?{":
            raise ValueError(f"a repetition is followed by {self._left[-1]!r}")
        return Repeat(part, *bounds)

    def _bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(sign):
                return bounds
        return self._braces() if self._take("{") else None

    def _braces(self) -> tuple[int, int | None]:
        """``{m}``, ``{m,}``, ``{,n}`` or ``{m,n}``, after its brace."""
        least = self._number()
        if least is not None and self._take("}"):
            return least, least
        if not self._take(","):
            raise ValueError("after { stand one or two numbers")
        most = self._number()
        if not self._take("}") or (least is None and most is None) or (most is not None and most < (least or 0)):
            raise ValueError("after { stand one or two numbers, the smaller one first")
        return least or 0, most

    def _number(self) -> int | None:
        digits = ""
        while self._left and self._left[-1] in string.digits:
            digits += self._left.pop()
        return int(digits) if digits else None


def _but_newlines(character: str) -> bool:
    return character != "\n"


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


_CLASSES: dict[str, Test] = {
    "d": str.isdecimal,
    "w": _is_word,
    "s": str.isspace,
    "D": lambda character: not character.isdecimal(),
    "W": lambda character: not _is_word(character),
    "S": lambda character: not character.isspace(),
}
