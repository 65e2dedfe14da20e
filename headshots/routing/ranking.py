"""Ranks replicas for a request: rendezvous hashing with bounded load, those first that have its adapter.

Rendezvous hashing (Thaler and Ravishankar, 1998): each pair of key and replica has a weight, and the highest wins. It
needs no state, so that all gateways agree, and a replica that joins or leaves moves only its own share of the keys.
Bounded load (Mirrokni, Thorup and Zadimoghaddam, 2018): no replica gets more than `LOAD_BOUND` times the mean.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import math
from collections.abc import Sequence
from typing import NamedTuple

_ALL_BITS = 2**64 - 1
LOAD_BOUND = 1.25
"""Requests in flight at a replica, over the mean of all; rounded up to whole requests."""


class Tier(enum.IntEnum):
    """Where a replica has an adapter, the quickest first."""

    SLOT = 0
    HOST = 1
    DISK = 2
    STORE = 3
    """Nowhere: it would be loaded from the object store."""


class Candidate(NamedTuple):
    """A replica that may take a request."""

    alias: str
    in_flight: int
    """Requests that it works on."""
    tier: Tier = Tier.STORE
    """Where it has the request's adapter."""
    is_suspect: bool = False
    """Whether it failed of late: all others come first."""


def weight(key: str, alias: str) -> int:
    """Of a replica for a key: 64 bits, the same in every process."""
    # The finalizer of SplitMix64 (Steele, Lea and Flood, 2014): half the time of a hash of both names.
    mixed = _point(key) ^ _point(alias)
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _ALL_BITS
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _ALL_BITS
    return mixed ^ mixed >> 31


@functools.lru_cache(maxsize=4096)
def _point(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())


def bound(in_flight: int, replicas: int) -> int:
    """Requests that a replica may have, where all `replicas` together have `in_flight`; at least their mean."""
    return math.ceil(LOAD_BOUND * in_flight / replicas)


def ranked_by_adapter(sha256: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """For a request with an adapter, best first.

    First come those that stay within the bound with this request, by the tier that they have the adapter in: of several
    that have it in a slot the least loaded, else by weight. Behind them the others, the least loaded first.
    """
    most = bound(sum(each.in_flight for each in candidates) + 1, max(len(candidates), 1))

    beyond: list[Candidate] = []
    tiers: dict[Tier, list[Candidate]] = {tier: [] for tier in Tier}
    for each in candidates:
        (beyond if each.is_suspect or each.in_flight >= most else tiers[each.tier]).append(each)
    found = ranked_by_load(sha256, tiers.pop(Tier.SLOT))
    for others in tiers.values():
        others.sort(key=lambda each: weight(sha256, each.alias), reverse=True)
        # Where it has to be loaded anyway, of the two that weigh most the less loaded: or those who were unlucky with
        # their adapters would be at the bound all the time, and what they pass on takes slots elsewhere.
        found += sorted(others[:2], key=lambda each: each.in_flight) + others[2:]
    return found + ranked_by_load(sha256, beyond)


def ranked_by_load(key: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """For a request without an adapter, the least loaded first; of several, by their weight for `key`."""
    return sorted(candidates, key=lambda each: (each.is_suspect, each.in_flight, -weight(key, each.alias)))
