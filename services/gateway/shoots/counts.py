"""Finds the styles and the profile of an order, and spreads its portraits over the styles."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from headshots.acceptance.profiles import Profile
from headshots.errors import FieldViolation, InvalidArgumentError
from headshots.styles.library import StyleLibrary
from headshots.styles.packs import Pack, PackLibrary
from headshots.styles.recipe import Style
from services.gateway.packs.checks import recipes_of
from services.gateway.packs.rows import usable_pack
from services.gateway.profiles.rows import usable_profile
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


def named_styles(
    connection: Connection, library: StyleLibrary, packs: PackLibrary, tenant_id: str, order: ShootOrder
) -> tuple[Pack | None, list[Style], list[int]]:
    """The order's pack where it names one, the recipes of its styles, and how many portraits each gets.

    Raises InvalidArgumentError PACK_OR_STYLES, and as `usable_pack`, `recipes_of` and `usable_styles`.
    """
    if order.look is not None:
        recipes = list(order.look.recipes)
        return None, recipes, spread(order.count, [1] * len(recipes))
    _check_pack_or_styles(order)
    if order.pack:
        pack = usable_pack(connection, packs, tenant_id, order.pack, field="pack")
        recipes = recipes_of(connection, library, tenant_id, pack, "pack")
        return pack, recipes, spread(order.count, [shots for _, shots in pack.styles])
    fields = [f"styles[{index}]" for index in range(len(order.styles))]
    recipes = usable_styles(connection, library, tenant_id, order.styles, fields)
    return None, recipes, spread(order.count, [1] * len(recipes))


def named_profile(connection: Connection, tenant_id: str, order: ShootOrder) -> Profile:
    """What judges the portraits. Raises InvalidArgumentError PROFILE_UNKNOWN."""
    return order.look.profile if order.look is not None else usable_profile(connection, tenant_id, order.profile)


def _check_pack_or_styles(order: ShootOrder) -> None:
    if bool(order.pack) == bool(order.styles):
        told = "both are set; leave one out" if order.pack else "neither is set; name one pack, or styles"
        violations = [FieldViolation(field, "exactly one of pack and styles") for field in ("pack", "styles")]
        raise InvalidArgumentError("PACK_OR_STYLES", f"pack and styles: {told}", violations=violations)
