"""Says which generators have forgotten an adapter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

UNRESOLVED = "unresolved"
"""Is silent in place of all generators where their name does not resolve, so that nobody could be asked."""


@dataclass(frozen=True)
class Eviction:
    """Ids of generators, as `Signer.alias` has them: they tell replicas apart and no network's address."""

    confirmed: frozenset[str] = frozenset()
    """Those that have no copy any more."""
    silent: frozenset[str] = frozenset()
    """Those that did not answer, or use the adapter still; they forget it when they have read its tombstone."""


def together(evictions: Iterable[Eviction]) -> Eviction:
    """Several adapters' as one: who was silent once has not confirmed."""
    found = list(evictions)
    silent = frozenset[str]().union(*(each.silent for each in found))
    return Eviction(frozenset[str]().union(*(each.confirmed for each in found)) - silent, silent)
