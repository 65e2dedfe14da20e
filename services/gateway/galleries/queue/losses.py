"""Tells in SQL which workers were lost with waiting shots, and what a claim writes of that; see `claiming`."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from headshots.schema import RUNNING, shots
from services.gateway.galleries.limits import ALONE_AFTER_LOSSES


def needs_to_be_alone(owner: str) -> sa.ColumnElement[bool]:
    """`Shot.needs_to_be_alone` of a waiting shot if `owner` claimed it now."""
    return _lost_workers(owner) >= ALONE_AFTER_LOSSES


def order_in_gallery(owner: str) -> list[sa.ColumnElement[Any]]:
    """Of the waiting shots of a gallery, for `owner`."""
    # Each has its first try before another has a second one: what the former leave, the latter may take.
    return [_lost_workers(owner), shots.c.tries, shots.c.number]


def written_of_losses(owner: str) -> dict[str, Any]:
    """What a claim writes about the worker that lost the shot, where one did. Of one worker one lone loss counts."""
    lost_alone = sa.and_(_lost_by_another(owner), shots.c.in_company.is_(False))
    is_another = shots.c.lost_alone_by.is_distinct_from(shots.c.lease_owner)
    return {
        "uncounted_attempts": shots.c.uncounted_attempts + sa.case((shots.c.state == RUNNING, 1), else_=0),
        "lost_workers": _lost_workers(owner),
        "lone_losses": shots.c.lone_losses + sa.case((sa.and_(lost_alone, is_another), 1), else_=0),
        "lost_alone_by": sa.case((lost_alone, shots.c.lease_owner), else_=shots.c.lost_alone_by),
    }


def _lost_workers(owner: str) -> sa.ColumnElement[int]:
    """Of a waiting shot, with the worker that has just lost it; where that is `owner` itself, it only slept."""
    return shots.c.lost_workers + sa.case((_lost_by_another(owner), 1), else_=0)


def _lost_by_another(owner: str) -> sa.ColumnElement[bool]:
    """Whether a waiting shot still bears the name of a worker that lost it."""
    return sa.and_(shots.c.state == RUNNING, shots.c.lease_owner != owner)
