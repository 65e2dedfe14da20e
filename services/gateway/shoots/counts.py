"""Spreads portraits over styles. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def spread(count: int, weights: Sequence[int]) -> list[int]:
    """How many of `count` things each weight gets, by the largest remainder; of equal remainders the first goes first.

    Args:
        count: at least 1.
        weights: above 0, at least one.
    """
    total = sum(weights)
    counts = [count * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: -(count * weights[index] % total))
    for index in by_remainder[: count - sum(counts)]:
        counts[index] += 1
    return counts
