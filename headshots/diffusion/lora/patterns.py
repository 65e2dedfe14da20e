r"""Matches PEFT's patterns of layer names in time that grows with their length only.

PEFT finds the alpha of a layer by ``re.match(rf"(.*\.)?({pattern})$", name)``, and ``re`` takes two to the power of a
name's length for some patterns. An adapter is a stranger's file, so here a pattern becomes an automaton of its
positions (Glushkov, 1961), whose states are the bits of one integer: a name takes one step a character.

What is read means what it means to PEFT: characters and escaped signs, ``.``, classes as ``[a-z0-9_]`` and ``\d``,
groups, ``|``, and the repetitions ``* + ? {m} {m,} {,n} {m,n}``, also in their lazy forms; ``^`` and ``$`` at the ends
of a pattern or of an alternative that is in no group. All else is refused.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headshots.diffusion.lora.pattern_parser import Either, Node, Repeat, Sequence, Test, alternatives

_PLAIN = re.compile(r"[A-Za-z0-9_.]+")
# Of all patterns of a file together; those of plain characters, one a layer in files of ours, are not among them.
_MOST_PATTERNS = 4096
_MOST_POSITIONS = 256


class NamePatterns:
    """What a file's patterns say of a layer: the value of the first pattern that matches its name."""

    def __init__(self, values: Mapping[str, float]) -> None:
        """``values`` by pattern, in the order that they are tried.

        Raises:
            ValueError: a pattern that is not read, naming it, or more of them than a file may have.
        """
        if len(values) > _MOST_PATTERNS:
            raise ValueError(f"it has {len(values)} patterns; at most {_MOST_PATTERNS} are read")
        self._tried: list[tuple[_Plain | _Automaton, float]] = []
        room = _MOST_POSITIONS
        for pattern, value in values.items():
            if _PLAIN.fullmatch(pattern):
                self._tried.append((_Plain(pattern), value))
                continue
            try:
                automaton = _Automaton(pattern, room)
            except ValueError as error:
                raise ValueError(f"the pattern {pattern[:80]!r}: {error}") from error
            # Each counts for one more, as reading it takes time even where it has no character to match.
            room = max(0, room - automaton.size - 1)
            self._tried.append((automaton, value))

    def find(self, name: str) -> float | None:
        """The value of the first pattern that matches; None where none does."""
        return next((value for pattern, value in self._tried if pattern.matches(name)), None)


class _Plain:
    """A pattern without repetitions or choices: ``re`` takes one step a character for it."""

    def __init__(self, pattern: str) -> None:
        self._compiled = re.compile(pattern)
        self._length = len(pattern)

    def matches(self, name: str) -> bool:
        """Whether it is the whole name, or its end after a dot."""
        start = len(name) - self._length
        return (start == 0 or (start > 0 and name[start - 1] == ".")) and bool(self._compiled.match(name, start))


@dataclass(frozen=True)
class _Part:
    """A part of an automaton: whether it matches nothing at all, and where its matches begin and end."""

    nullable: bool
    first: int
    last: int


_NOTHING = _Part(True, 0, 0)


class _Automaton:
    """A pattern as positions, the n-th of which is bit n: what each takes, and which may come after it."""

    def __init__(self, pattern: str, room: int) -> None:
        if not room:
            raise _too_large()
        self._room = room
        self._tests: list[Test] = []
        self._follow: list[int] = []
        self._masks: dict[str, int] = {}
        # Where a match may begin: at the name's start, and after any dot of it.
        self._at_start = self._after_dot = self._last = 0
        self._nullable_at_start = self._nullable_after_dot = False
        for anchored, node in alternatives(pattern):
            part = self._build(node)
            self._last |= part.last
            self._at_start |= part.first
            self._nullable_at_start |= part.nullable
            if not anchored:
                self._after_dot |= part.first
                self._nullable_after_dot |= part.nullable

    @property
    def size(self) -> int:
        """Positions."""
        return len(self._tests)

    def matches(self, name: str) -> bool:
        """Whether it is the whole name, or its end after a dot."""
        begin, state = self._at_start, 0
        for character in name:
            state = (begin | self._after(state)) & self._mask(character)
            begin = self._after_dot if character == "." else 0
        ends_in_nothing = self._nullable_at_start if not name else name[-1] == "." and self._nullable_after_dot
        return bool(state & self._last) or ends_in_nothing

    def _after(self, state: int) -> int:
        """Every position that may come after one of the state's."""
        found = 0
        while state:
            lowest = state & -state
            found |= self._follow[lowest.bit_length() - 1]
            state ^= lowest
        return found

    def _mask(self, character: str) -> int:
        """The positions that take a character."""
        mask = self._masks.get(character)
        if mask is None:
            mask = sum(1 << number for number, test in enumerate(self._tests) if test(character))
            self._masks[character] = mask
        return mask

    def _build(self, node: Node) -> _Part:
        """Lay out a node's positions."""
        match node:
            case Sequence(parts):
                built = _NOTHING
                for part in parts:
                    built = self._joined(built, self._build(part))
                return built
            case Either(parts):
                options = [self._build(part) for part in parts]
                return _Part(
                    any(option.nullable for option in options),
                    _union(option.first for option in options),
                    _union(option.last for option in options),
                )
            case Repeat():
                return self._repeated(node)
            case _:
                return self._position(node)

    def _position(self, test: Test) -> _Part:
        if self.size == self._room:
            raise _too_large()
        bit = 1 << self.size
        self._tests.append(test)
        self._follow.append(0)
        return _Part(False, bit, bit)

    def _repeated(self, node: Repeat) -> _Part:
        """So many copies: those beyond the least may be left out, and the last one loops where there is no most."""
        before = self.size
        built, least = _NOTHING, node.least
        for number in range(max(least, 1) if node.most is None else node.most):
            copy = self._build(node.part)
            if self.size == before:
                return _NOTHING  # The part holds no character, and neither do copies of it.
            if node.most is None and number >= least - 1:
                self._connect(copy.last, copy.first)
            optional = _Part(copy.nullable or number >= least, copy.first, copy.last)
            built = self._joined(built, optional)
        return built

    def _joined(self, left: _Part, right: _Part) -> _Part:
        self._connect(left.last, right.first)
        return _Part(
            left.nullable and right.nullable,
            left.first | (right.first if left.nullable else 0),
            right.last | (left.last if right.nullable else 0),
        )

    def _connect(self, before: int, after: int) -> None:
        """Let positions come after others."""
        while before:
            lowest = before & -before
            self._follow[lowest.bit_length() - 1] |= after
            before ^= lowest


def _union(sets: Iterable[int]) -> int:
    return functools.reduce(operator.or_, sets, 0)


def _too_large() -> ValueError:
    return ValueError(f"it grows too large; the patterns of a file may have {_MOST_POSITIONS} characters to match")
