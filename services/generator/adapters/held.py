"""Tells which adapters a generator has on its tiers, so that requests can be sent where theirs is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from services.generator.adapters.tiers import AdapterCache

MOST_TOLD = 256
"""Of each tier. Gateways ask every few seconds; what was used longer ago is the least likely to be asked for."""


@dataclass(frozen=True)
class HeldAdapters:
    """Digests by tier, the most recently used first, at most `MOST_TOLD` each."""

    in_slots: tuple[str, ...]
    in_memory: tuple[str, ...]
    on_disk: tuple[str, ...]


def held_adapters(in_slots: Iterable[str], cache: AdapterCache) -> HeldAdapters:
    """``in_slots``: digests, the least recently used first."""
    return HeldAdapters(_newest(in_slots), _newest(cache.host), _newest(cache.disk))


def _newest(names: Iterable[str]) -> tuple[str, ...]:
    """A name below the slots is digest and key: one digest may come from several keys."""
    digests = dict.fromkeys(name.partition("-")[0] for name in reversed(list(names)))
    return tuple(islice(digests, MOST_TOLD))
