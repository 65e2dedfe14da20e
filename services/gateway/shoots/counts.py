"""Spreads portraits over the styles of an order."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from headshots.styles.library import StyleLibrary
from headshots.styles.packs import Pack
from headshots.styles.recipe import Style
from services.gateway.packs.checks import recipes_of
from services.gateway.shoots.models import ShootOrder
from services.gateway.styles.rows import usable_styles


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


def recipes_with_counts(
    connection: Connection, library: StyleLibrary, tenant_id: str, order: ShootOrder, pack: Pack | None
) -> tuple[list[Style], list[int]]:
    """The recipes of the order's styles, or of its pack's, and how many portraits each gets.

    Raises as `recipes_of` and `usable_styles`.
    """
    if pack is not None:
        recipes = recipes_of(connection, library, tenant_id, pack, "pack")
        return recipes, spread(order.count, [shots for _, shots in pack.styles])
    fields = [f"styles[{index}]" for index in range(len(order.styles))]
    recipes = usable_styles(connection, library, tenant_id, order.styles, fields)
    return recipes, spread(order.count, [1] * len(recipes))
