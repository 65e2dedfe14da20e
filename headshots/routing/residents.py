"""Knows which adapters a replica has: what it told last, and what it was sent since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headshots.routing.ranking import Tier


@dataclass(frozen=True)
class ToldAdapters:
    """SHA-256 of the adapters that a replica says it has, by tier, the most recently used first."""

    in_slots: Sequence[str] = ()
    in_memory: Sequence[str] = ()
    on_disk: Sequence[str] = ()
    slots: int = 0
    """Adapters that fit into its slots."""


class Residents:
    """Of one replica. Between two answers its slots are taken for what they are: least recently used goes first."""

    def __init__(self) -> None:
        self._slots = 0
        # The least recently used first.
        self._in_slots: dict[str, None] = {}
        self._in_memory: set[str] = set()
        self._on_disk: set[str] = set()

    def told(self, told: ToldAdapters, in_use: Iterable[str]) -> None:
        """The replica answered. `in_use`: adapters of requests that it works on; it may not have loaded them yet."""
        self._slots = told.slots
        self._in_slots = dict.fromkeys(reversed(told.in_slots))
        self._in_memory, self._on_disk = set(told.in_memory), set(told.on_disk)
        for sha256 in in_use:
            self.used(sha256)

    def used(self, sha256: str) -> None:
        """The replica took a request with this adapter: it has it in a slot, in place of the least recently used."""
        self._in_slots.pop(sha256, None)
        self._in_slots[sha256] = None
        while len(self._in_slots) > max(self._slots, 1):
            oldest = next(iter(self._in_slots))
            del self._in_slots[oldest]
            # The packed row stays in memory when a slot is given away.
            self._in_memory.add(oldest)

    def tier(self, sha256: str) -> Tier:
        """The quickest tier that has the adapter."""
        if sha256 in self._in_slots:
            return Tier.SLOT
        if sha256 in self._in_memory:
            return Tier.HOST
        return Tier.DISK if sha256 in self._on_disk else Tier.STORE
