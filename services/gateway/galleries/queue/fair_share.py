"""Orders galleries and their shots by fair share among tenants; see `claiming.claim`. Blocking SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headshots.database import now_expression
from headshots.schema import HIGH_PRIORITY, PENDING, RUNNING, galleries, shots, tenants


def first_gallery(dialect: str, waiting: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """The gallery whose shots are next, of those that have some `waiting`, as `id`; and `now`.

    Asked of galleries, as there are a hundred times as many shots.
    """
    running = _running(dialect).subquery()
    has_some = sa.exists().where(shots.c.gallery_id == galleries.c.id, waiting)
    return (
        sa.select(galleries.c.id, now_expression(dialect).label("now"))
        .join(tenants, tenants.c.id == galleries.c.tenant_id)
        .outerjoin(running, running.c.tenant_id == galleries.c.tenant_id)
        .where(galleries.c.state.in_((PENDING, RUNNING)), has_some)
        .order_by(*_order(sa.func.coalesce(running.c.running, 0)))
        .limit(1)
    )


def running_by_tenant(connection: Connection) -> dict[str, int]:
    """Counted once before shots are ordered and not for each of them. A stale count only changes who goes first."""
    return {row.tenant_id: int(row.running) for row in connection.execute(_running(connection.dialect.name))}


def _running(dialect: str) -> sa.Select[Any]:
    held = sa.and_(shots.c.state == RUNNING, shots.c.lease_expires_at >= now_expression(dialect))
    counted = sa.select(galleries.c.tenant_id, sa.func.count().label("running"))
    return counted.join(shots, shots.c.gallery_id == galleries.c.id).where(held).group_by(galleries.c.tenant_id)


def order_of_shots(running: Mapping[str, int]) -> list[sa.ColumnElement[Any]]:
    """The same order, for rows of `shots`."""
    both = tenants.join(galleries, galleries.c.tenant_id == tenants.c.id)

    def of_shot(column: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
        mine = galleries.c.id == shots.c.gallery_id
        return sa.select(column).select_from(both).where(mine).correlate(shots).scalar_subquery()

    of_tenant = sa.case(running, value=galleries.c.tenant_id, else_=0) if running else sa.literal(0)
    *others, _priority, created_at, gallery_id = _order(of_tenant)
    return [*map(of_shot, others), of_shot(galleries.c.priority).desc(), *map(of_shot, (created_at, gallery_id))]


def _order(running: sa.ColumnElement[int]) -> list[sa.ColumnElement[Any]]:
    """Of rows of `galleries` and `tenants`, and of how many shots of the tenant run.

    The last three are priority, time and id.
    """
    # Of a tenant with both, the high-priority shots come first by this alone: it need not be asked which it has.
    weight = sa.case((galleries.c.priority >= HIGH_PRIORITY, tenants.c.high_weight), else_=1)
    share = running * 1.0 / weight
    return [share, tenants.c.last_shot_at, galleries.c.priority.desc(), galleries.c.created_at, galleries.c.id]
