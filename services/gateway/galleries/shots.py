"""Claims shots, which are leased rows, by fair share, and records how they end. Blocking SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots import leases
from headshots.database import database_now, now_expression, read, write
from headshots.leases import Lease
from headshots.schema import CANCELLED, FAILED, PENDING, RUNNING, SUCCEEDED, galleries, shots, subjects, tenants
from headshots.styles import Style
from services.gateway.galleries.remix import Remix
from services.gateway.galleries.state import update_state
from services.gateway.peers.models import Adapter, Failure, ImageDone


@dataclass(frozen=True)
class Shot:
    """A claimed shot with everything that is needed to paint it."""

    lease: Lease
    gallery_id: str
    subject_id: str
    tenant_id: str
    number: int
    seed: int
    counted_attempts: int
    """Claims so far, this one included, without the uncounted ones."""
    uncounted_attempts: int
    """Claims that ended because the generator was away or full, or because the gateway drained."""
    cancel_requested: bool
    recipe: Style
    adapter: Adapter
    class_noun: str
    image_format: int
    quality: int
    priority: int
    remix: Remix | None


def claim(engine: Engine, *, owner: str, ttl_seconds: float) -> Shot | None:
    """Takes the next shot; None where none waits.

    High priority goes first, then fair share between tenants: first the tenant with the fewest running shots, then the
    one that got a shot longest ago. Within a tenant the oldest gallery goes first, and its shots by number.
    """
    with read(engine) as connection:
        now = now_expression(connection.dialect.name)
        waiting = sa.and_(leases.claimable(shots, now), shots.c.not_before <= now)
        # Reading first: an empty queue then takes no write lock.
        if connection.execute(sa.select(shots.c.id).where(waiting).limit(1)).first() is None:
            return None
        order = _fair_share(_running_by_tenant(connection))
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
    """Counted once before the claim and not for each waiting shot in it. A stale count only changes who goes first."""
    now = now_expression(connection.dialect.name)
    rows = connection.execute(
        sa.select(galleries.c.tenant_id, sa.func.count())
        .join(shots, shots.c.gallery_id == galleries.c.id)
        .where(shots.c.state == RUNNING, shots.c.lease_expires_at >= now)
        .group_by(galleries.c.tenant_id)
    )
    return {row[0]: int(row[1]) for row in rows}


def _fair_share(running: Mapping[str, int]) -> list[sa.ColumnElement[Any]]:
    """The order of waiting shots that :func:`claim` describes."""

    def of_gallery(column: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
        return sa.select(column).where(galleries.c.id == shots.c.gallery_id).scalar_subquery()

    running_shots = sa.case(running, value=of_gallery(galleries.c.tenant_id), else_=0) if running else sa.literal(0)
    last_shot_at = (
        sa.select(tenants.c.last_shot_at)
        .join(galleries, galleries.c.tenant_id == tenants.c.id)
        .where(galleries.c.id == shots.c.gallery_id)
        .scalar_subquery()
    )
    return [
        of_gallery(galleries.c.priority).desc(),
        running_shots,
        last_shot_at,
        of_gallery(galleries.c.created_at),
        shots.c.gallery_id,
        shots.c.number,
    ]


def _begin(engine: Engine, lease: Lease) -> Shot:
    """Reads the claimed shot, starts its gallery, and records that its tenant was served."""
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
    return _to_shot(lease, row)


def _to_shot(lease: Lease, row: Row[Any]) -> Shot:
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


def renew(engine: Engine, shot: Shot, *, ttl_seconds: float) -> bool:
    """Extends the lease; whether the shot is to be cancelled. Raises as `leases.renew`."""
    return leases.renew(engine, shots, shot.lease, ttl_seconds=ttl_seconds)


def succeed(
    engine: Engine, shot: Shot, image: ImageDone, *, prompt: str, seconds: float, likeness: float | None = None
) -> None:
    """Records the image.

    Raises:
        LeaseLostError: another worker has the shot.
    """
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
    """Records that no further attempt is made. Raises as `succeed`."""
    _end(engine, shot, state=FAILED, failure_reason=failure.reason, failure_message=failure.message)


def cancel(engine: Engine, shot: Shot) -> None:
    """Records that the shot was stopped because its gallery is cancelled. Raises as `succeed`."""
    _end(engine, shot, state=CANCELLED)


def requeue(engine: Engine, shot: Shot, *, counts: bool, after_seconds: float, status_message: str = "") -> None:
    """Puts the shot back into the queue, to be claimed after `after_seconds`. Raises as `succeed`.

    Where the gallery is cancelled the shot ends as cancelled instead: no worker would see that of a waiting row.
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
        update_state(connection, shot.gallery_id, status_message="" if cancelled else status_message)


def _end(engine: Engine, shot: Shot, **values: Any) -> None:
    """One transaction under the gallery's lock: the fenced write to the shot, then the gallery's own state."""
    with write(engine) as connection:
        _lock_gallery(connection, shot.gallery_id)
        leases.update_in(connection, shots, shot.lease, **values)
        update_state(connection, shot.gallery_id)


def _lock_gallery(connection: Connection, gallery_id: str) -> None:
    locked = connection.execute(sa.select(galleries.c.id).where(galleries.c.id == gallery_id).with_for_update())
    assert locked.first() is not None, "a subject with running shots is not erased"
