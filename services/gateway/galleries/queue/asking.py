"""Makes the statements that claim shots, once for all claims that ask for the same; see `claiming.claim`."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from headshots import leases
from headshots.database import now_expression
from headshots.schema import shots
from services.gateway.galleries.limits import open_galleries, withheld_galleries
from services.gateway.galleries.queue.fair_share import first_gallery
from services.gateway.galleries.queue.losses import needs_to_be_alone, order_in_gallery, written_of_losses
from services.gateway.peers.pools.openness import Openness

_OF_SHOT = (
    *("id", "attempt", "gallery_id", "number", "seed", "tries", "earlier_attempts", "uncounted_attempts"),
    *("lost_workers", "lone_losses", "cancel_requested"),
)


@dataclass(frozen=True)
class Asking:
    """What a claim asks for."""

    dialect: str
    owner: str
    ttl_seconds: float
    has_others: bool
    openness: Openness
    by_clock: bool = True

    @property
    def is_due(self) -> sa.ColumnElement[bool]:
        """Whether a shot may be claimed now; see :func:`claim`."""
        due = self.is_due_to_any
        return sa.and_(due, ~needs_to_be_alone(self.owner)) if self.has_others else due

    @property
    def is_due_to_any(self) -> sa.ColumnElement[bool]:
        """The same of an owner without others."""
        due = leases.is_past(shots.c.not_before, now_expression(self.dialect))
        if not self.by_clock:
            due = sa.and_(due, shots.c.gallery_id.not_in(withheld_galleries(self.dialect)))
        if not self.openness.is_all_open:
            due = sa.and_(due, shots.c.gallery_id.in_(open_galleries(self.openness)))
        return due

    def waiting(self, is_due: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
        """Shots that are due and held by nobody."""
        return sa.and_(leases.claimable(shots, now_expression(self.dialect)), is_due)

    def claiming(self, order: list[sa.ColumnElement[Any]], where: sa.ColumnElement[bool]) -> sa.Update:
        """Takes the first in this order of those that are due; answers with the shot's columns."""
        values = {**written_of_losses(self.owner), "in_company": self.has_others}
        named: dict[str, Any] = {"owner": self.owner, "ttl_seconds": self.ttl_seconds, "values": values}
        first = leases.claiming(shots, self.dialect, order_by=order, where=where, **named)
        return first.returning(*(shots.c[name] for name in _OF_SHOT))


@functools.lru_cache(maxsize=64)
def asking_first(asking: Asking) -> sa.Select[Any]:
    """The gallery whose shots are next."""
    # As often as shots are claimed, as the next one: to make them anew takes as long as to run them.
    return first_gallery(asking.dialect, asking.waiting(asking.is_due))


@functools.lru_cache(maxsize=64)
def claiming_of_gallery(asking: Asking) -> sa.Update:
    """Takes the next shot of the gallery `of_gallery`."""
    mine = shots.c.gallery_id == sa.bindparam("of_gallery")
    return asking.claiming(order_in_gallery(asking.owner), sa.and_(mine, asking.is_due))


@functools.lru_cache(maxsize=64)
def asking_for_lone(asking: Asking) -> sa.Select[Any]:
    """One waiting shot, if there is any, that needs to be alone."""
    waiting = asking.waiting(asking.is_due_to_any)
    return sa.select(shots.c.id).where(waiting, needs_to_be_alone(asking.owner)).limit(1)
