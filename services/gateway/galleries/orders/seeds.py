"""Tells from which seeds a style's shots are first painted. Decision 45 says why styles may have seeds of their own."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from services.gateway.galleries.limits import SEEDS


class StyleSeeds(StrEnum):
    """The seeds of the styles of a gallery. The values are kept in rows."""

    SAME = "same"
    """Every style the same ones."""
    VARIED = "varied"
    """Every style its own."""


def first_seed(seed: int, style: str, style_seeds: StyleSeeds) -> int:
    """The seed of the first shot of a style (its bare id) in a gallery whose seed is `seed`, below 2^32.

    The contract tells callers how it is made: it never changes.
    """
    if style_seeds is StyleSeeds.SAME:
        return seed
    return (seed + int.from_bytes(hashlib.sha256(style.encode()).digest()[:4], "big")) % SEEDS
