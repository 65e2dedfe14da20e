"""Claims shots, which are leased rows, and records every way in which one may end. Blocking SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots import leases
from headshots.database import database_now, now_expression, read, write
from headshots.leases import Lease
from headshots.schema import CANCELLED, FAILED, PENDING, RUNNING, SUCCEEDED, galleries, shots, subjects, tenants
from headshots.styles import Style
from services.gateway.galleries.remix import Remix
from services.gateway.galleries.settling import settle
from services.gateway.peers.models import Adapter, Failure, ImageDone


@dataclass(frozen=True)
class Shot:
    """A claimed shot with all that painting it takes."""

    lease: Lease
    gallery_id: str
    subject_id: str
    tenant_id: str
    number: int
    seed: int
    counted_attempts: int
    """Claims so far, this one included, that were not the generator's absence or our own draining."""
    uncounted_attempts: int
    cancel_requested: bool
    recipe: Style
    adapter: Adapter
    class_noun: str
    image_format: int
    quality: int
    priority: int
    remix: Remix | None


def claim(engine: Engine, *, owner: str, ttl_seconds: float) -> Shot | None:
    """Takes the next shot: high priority first, then the tenant that has least running, then the one served longest
    ago, then the oldest gallery's shots by number."""
    with read(engine) as connection:
        now = now_expression(connection.dialect.name)
        waiting = sa.and_(leases.claimable(shots, now), shots.c.not_before <= now)
        # Looking first costs no write lock while there is nothing to do.
        if connection.execute(sa.select(shots.c.id).where(waiting).limit(1)).first() is None:
            return None
        order = _turns(_running_by_tenant(connection))
    lease = leases.claim(
        engine,
        shots,
        owner=owner,
        ttl_seconds=ttl_seconds,
        order_by=order,
        where=shots.c.not_before <= now,
    )
    return _begin(engine, lease) if lease is not None else None


def _running_by_tenant(connection: Connection) -> dict[str, int]:
    """Counted once before the claim and not for each waiting shot in it: out of date it costs a turn, no more."""
    now = now_expression(connection.dialect.name)
    rows = connection.execute(
        sa.select(galleries.c.tenant_id, sa.func.count())
        .join(shots, shots.c.gallery_id == galleries.c.id)
        .where(shots.c.state == RUNNING, shots.c.lease_expires_at >= now)
        .group_by(galleries.c.tenant_id)
    )
    return {row[0]: int(row[1]) for row in rows}


def _turns(running: Mapping[str, int]) -> list[sa.ColumnElement[Any]]:
    def of_gallery(column: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
        return sa.select(column).where(galleries.c.id == shots.c.gallery_id).scalar_subquery()

    at_work = sa.case(running, value=of_gallery(galleries.c.tenant_id), else_=0) if running else sa.literal(0)
    last_shot_at = (
        sa.select(tenants.c.last_shot_at)
        .join(galleries, galleries.c.tenant_id == tenants.c.id)
        .where(galleries.c.id == shots.c.gallery_id)
        .scalar_subquery()
    )
    return [
        of_gallery(galleries.c.priority).desc(),
        at_work,
        last_shot_at,
        of_gallery(galleries.c.created_at),
        shots.c.gallery_id,
        shots.c.number,
    ]


def _begin(engine: Engine, lease: Lease) -> Shot:
    with write(engine) as connection:
        row = connection.execute(
            sa.select(
                shots.c.number,
                shots.c.seed,
                shots.c.uncounted_attempts,
                shots.c.cancel_requested,
                galleries,
                subjects.c.class_noun,
            )
            .join(galleries, galleries.c.id == shots.c.gallery_id)
            .join(subjects, subjects.c.id == galleries.c.subject_id)
            .where(shots.c.id == lease.id)
        ).one()
        connection.execute(
            sa.update(galleries)
            .where(galleries.c.id == row.id, galleries.c.state == PENDING)
            .values(state=RUNNING, revision=galleries.c.revision + 1)
        )
        now = database_now(connection)
        connection.execute(sa.update(tenants).where(tenants.c.id == row.tenant_id).values(last_shot_at=now))
    return Shot(
        lease=lease,
        gallery_id=row.id,
        subject_id=row.subject_id,
        tenant_id=row.tenant_id,
        number=row.number,
        seed=row.seed,
        counted_attempts=lease.attempt - row.uncounted_attempts,
        uncounted_attempts=row.uncounted_attempts,
        cancel_requested=row.cancel_requested,
        recipe=Style(**row.styles[row.number // row.shots_per_style]),
        adapter=Adapter(**row.adapter),
        class_noun=row.class_noun,
        image_format=row.format,
        quality=row.quality,
        priority=row.priority,
        remix=Remix.from_json(row.remix),
    )


def succeed(
    engine: Engine, shot: Shot, image: ImageDone, *, prompt: str, seconds: float, likeness: float | None = None
) -> None:
    """The image exists. Raises LeaseLostError when somebody else has the shot by now."""
    document = dataclasses.asdict(image)
    key = document.pop("key")
    _end(
        engine,
        shot,
        state=SUCCEEDED,
        image_key=key,
        image={**document, "prompt": prompt, "seconds": seconds, "likeness": likeness},
        failure_reason=None,
        failure_message=None,
    )


def fail(engine: Engine, shot: Shot, failure: Failure) -> None:
    """Given up. Raises as `succeed`."""
    _end(engine, shot, state=FAILED, failure_reason=failure.reason, failure_message=failure.message)


def cancel(engine: Engine, shot: Shot) -> None:
    """Stopped as asked. Raises as `succeed`."""
    _end(engine, shot, state=CANCELLED)


def put_back(engine: Engine, shot: Shot, *, counts: bool, after_seconds: float, note: str) -> None:
    """Back to the queue, not before `after_seconds`. Raises as `succeed`.

    Cancelled at once instead, where the gallery is to stop: a waiting row would never be told.
    """
    with write(engine) as connection:
        _lock_gallery(connection, shot.gallery_id)
        cancelled = connection.execute(
            sa.select(shots.c.cancel_requested).where(shots.c.id == shot.lease.id)
        ).scalar_one()
        values: dict[str, Any] = {"state": CANCELLED}
        if not cancelled:
            values = {
                "state": PENDING,
                "not_before": now_expression(connection.dialect.name) + after_seconds,
                "uncounted_attempts": shot.uncounted_attempts + (0 if counts else 1),
            }
        leases.update_in(connection, shots, shot.lease, **values)
        settle(connection, shot.gallery_id, note="" if cancelled else note)


def _end(engine: Engine, shot: Shot, **values: Any) -> None:
    """One transaction under the gallery's lock: the fenced write to the shot, then the gallery's own state."""
    with write(engine) as connection:
        _lock_gallery(connection, shot.gallery_id)
        leases.update_in(connection, shots, shot.lease, **values)
        settle(connection, shot.gallery_id)


def _lock_gallery(connection: Connection, gallery_id: str) -> None:
    locked = connection.execute(sa.select(galleries.c.id).where(galleries.c.id == gallery_id).with_for_update())
    assert locked.first() is not None, "a gallery outlives its running shots: subjects with running jobs stay"
