"""Orders galleries and their shots by fair share among tenants; see `claiming.claim`. Blocking SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headshots.database import now_expression
from headshots.schema import HIGH_PRIORITY, PENDING, RUNNING, galleries, shots, tenants


def running_by_tenant(connection: Connection) -> dict[str, int]:
    """Counted once before the claim and not for each waiting shot in it. A stale count only changes who goes first."""
    now = now_expression(connection.dialect.name)
    held = sa.and_(shots.c.state == RUNNING, shots.c.lease_expires_at >= now)
    counted = sa.select(galleries.c.tenant_id, sa.func.count()).join(shots, shots.c.gallery_id == galleries.c.id)
    rows = connection.execute(counted.where(held).group_by(galleries.c.tenant_id))
    return {row[0]: int(row[1]) for row in rows}


def first_gallery(connection: Connection, running: Mapping[str, int], waiting: sa.ColumnElement[bool]) -> str | None:
    """The id of the gallery whose shots are next, of those that have some `waiting`; None where none has.

    Asked of galleries, as there are a hundred times as many shots.
    """
    has_some = sa.exists().where(shots.c.gallery_id == galleries.c.id, waiting)
    query = (
        sa.select(galleries.c.id)
        .join(tenants, tenants.c.id == galleries.c.tenant_id)
        .where(galleries.c.state.in_((PENDING, RUNNING)), has_some)
        .order_by(*_order(running))
        .limit(1)
    )
    return connection.execute(query).scalar()


def order_of_shots(running: Mapping[str, int]) -> list[sa.ColumnElement[Any]]:
    """The same order, for rows of `shots`."""
    both = tenants.join(galleries, galleries.c.tenant_id == tenants.c.id)

    def of_shot(column: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
        mine = galleries.c.id == shots.c.gallery_id
        return sa.select(column).select_from(both).where(mine).correlate(shots).scalar_subquery()

    *others, _priority, created_at, gallery_id = _order(running)
    return [*map(of_shot, others), of_shot(galleries.c.priority).desc(), *map(of_shot, (created_at, gallery_id))]


def _order(running: Mapping[str, int]) -> list[sa.ColumnElement[Any]]:
    """Of rows of `galleries` and `tenants`; the last three are priority, time and id."""
    # Of a tenant with both, the high-priority shots come first by this alone: it need not be asked which it has.
    weight = sa.case((galleries.c.priority >= HIGH_PRIORITY, tenants.c.high_weight), else_=1)
    shares: list[sa.ColumnElement[Any]] = []
    if running:
        shares = [sa.case(running, value=galleries.c.tenant_id, else_=0) * 1.0 / weight]
    return [*shares, tenants.c.last_shot_at, galleries.c.priority.desc(), galleries.c.created_at, galleries.c.id]
