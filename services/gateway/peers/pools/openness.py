"""Says of which foundations a gateway has room for another shot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Openness:
    """Foundations by digest: those in `closed` are not open; those not in `known` are where `others`."""

    known: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    others: bool = True

    @property
    def is_nothing_open(self) -> bool:
        """Whether there is no foundation that is open."""
        return not self.others and self.closed >= self.known

    @property
    def is_all_open(self) -> bool:
        """Whether there is no foundation that is not open."""
        return self.others and not self.closed


ALL = Openness()
NOTHING = Openness(others=False)
_AWAY_AT_ONCE = 1
"""Shots under way with a pool that does not answer: enough to see that it does again, and to tell why others wait."""


def openness(answers: Mapping[str, bool], running: Mapping[str, int], at_once: int) -> Openness:
    """Of several pools: `answers` tells of each known foundation whether a pool that runs it answers.

    `running`: shots under way, by foundation; `at_once`: as many as each may have. So a pool that is away, or slow,
    takes no room from another.
    """
    known = frozenset(answers)
    closed = {one for one, does in answers.items() if running.get(one, 0) >= (at_once if does else _AWAY_AT_ONCE)}
    others = sum(count for one, count in running.items() if one not in known)
    return Openness(known, frozenset(closed), others < _AWAY_AT_ONCE)
