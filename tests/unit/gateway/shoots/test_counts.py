"""Portraits are spread over styles by the largest remainder."""

from __future__ import annotations

import itertools

import pytest

from services.gateway.shoots.counts import spread


@pytest.mark.parametrize(
    ("count", "weights", "counts"),
    [
        (10, (1, 1, 1), [4, 3, 3]),
        (160, (4,), [160]),
        (2, (1, 1, 1), [1, 1, 0]),
        (40, (8, 4, 4, 4), [16, 8, 8, 8]),
        # Quotas 3.33, 1.67 and 5: the largest remainder goes first.
        (10, (2, 1, 3), [3, 2, 5]),
        (1, (1, 64), [0, 1]),
    ],
)
def test_counts(count: int, weights: tuple[int, ...], counts: list[int]) -> None:
    assert spread(count, weights) == counts


def test_all_are_spread_and_none_is_off_its_share_by_one() -> None:
    for count, weights in itertools.product(range(1, 161, 7), ((1,) * 32, (3, 1, 9, 2), (64, 1, 1))):
        counts = spread(count, weights)
        assert sum(counts) == count
        assert all(abs(each - count * weight / sum(weights)) < 1 for each, weight in zip(counts, weights, strict=True))
