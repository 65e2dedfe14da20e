"""Claims shots, which are leased rows, by fair share, and counts the workers that were lost with each. Blocking SQL.

Tenants come before priorities: whatever others have queued, a tenant with nothing running is served before all that
have something running. High priority gives a tenant a larger share of the running shots, as many times as large as its
weight says, and so never all of them.

What a lost worker did is not the shot's attempt: most are killed, frozen or cut off for reasons of their own. Only one
that held nothing else, from the claim to its end, is evidence against a shot, so a shot that several were lost with is
painted alone, and after `MAX_LONE_LOSSES` different workers it is given up.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.acceptance.profiles import PROFILE_WORTHY, Profile
from headshots.database import look, now_expression, read, write
from headshots.errors import FailedPreconditionError
from headshots.leases import Lease
from headshots.looks.frame import Frame
from headshots.marking.rights import TenantRights
from headshots.schema import PENDING, RUNNING, galleries, shots, subjects, tenants
from headshots.styles.recipe import Style
from services.gateway.consents.checks import check_consent
from services.gateway.consents.models import Purpose
from services.gateway.galleries.images.tries import most_tries
from services.gateway.galleries.limits import is_withheld
from services.gateway.galleries.models import place_of
from services.gateway.galleries.queue.asking import Asking, asking_first, asking_for_lone, claiming_of_gallery
from services.gateway.galleries.queue.fair_share import order_of_shots, running_by_tenant
from services.gateway.galleries.queue.losses import needs_to_be_alone, order_in_gallery
from services.gateway.galleries.queue.shot import Shot
from services.gateway.galleries.remix import Remix
from services.gateway.galleries.rows import style_shots_of
from services.gateway.peers.models import Adapter, Failure
from services.gateway.peers.pools.openness import ALL, Openness
from services.gateway.retention.checks import check_unexpired


def _always(_now: float) -> bool:
    return True


def claim(
    engine: Engine,
    *,
    owner: str,
    ttl_seconds: float,
    has_others: bool = False,
    trusts: Callable[[float], bool] = _always,
    openness: Openness = ALL,
) -> Shot | None:
    """Takes the next shot; None where none of an open foundation waits. `has_others`: whether the owner holds others.

    `trusts` tells of the database's time whether work may fail by it: where not, shots of people who do not agree or
    are not kept any more, which would fail, go on waiting.

    First the tenant with the fewest running shots, divided by its weight where a high-priority shot of it waits; then
    the one that got a shot longest ago. Within a tenant high priority goes first, then the oldest gallery; in it shots
    that fewer workers were lost with, then those with fewer tries, then by number. While the next shot needs to be
    alone, an owner that has others gets none.
    """
    asking = Asking(engine.dialect.name, owner, ttl_seconds, has_others, openness)
    # Reading first: an empty queue takes no write lock, and no write waits while thousands of shots are ordered.
    if (first := _first(engine, asking)) is None:
        return None
    if not trusts(first.now):
        asking = dataclasses.replace(asking, by_clock=False)
        if (first := _first(engine, asking)) is None:
            return None
    if has_others and _next_needs_to_be_alone(engine, asking):
        return None
    with write(engine) as connection:
        if has_others:
            _note_company(connection, owner)
        claimed = _claim_of(connection, first.id, asking)
        shot = _begun(connection, claimed, owner) if claimed is not None else None
    if shot is not None and shot.starts_gallery:
        return dataclasses.replace(shot, starts_gallery=_start_gallery(engine, shot.gallery_id))
    return shot


def _first(engine: Engine, asking: Asking) -> Row[Any] | None:
    with look(engine) as connection:
        return connection.execute(asking_first(asking)).first()


def _claim_of(connection: Connection, gallery_id: str, asking: Asking) -> Row[Any] | None:
    """Of this gallery, or of another where others have taken all of it since it was found."""
    claimed = connection.execute(claiming_of_gallery(asking), {"of_gallery": gallery_id}).first()
    if claimed is not None:
        return claimed
    order = [*order_of_shots(running_by_tenant(connection)), *order_in_gallery(asking.owner)]
    return connection.execute(asking.claiming(order, asking.is_due)).first()


def _next_needs_to_be_alone(engine: Engine, asking: Asking) -> bool:
    # Ordering all that wait is the dearer question, and there is hardly ever such a shot.
    with look(engine) as connection:
        if connection.execute(asking_for_lone(asking)).first() is None:
            return False
    alone, waiting = needs_to_be_alone(asking.owner), asking.waiting(asking.is_due_to_any)
    with read(engine) as connection:
        order = [*order_of_shots(running_by_tenant(connection)), *order_in_gallery(asking.owner), shots.c.id]
        first = sa.select(alone).where(waiting).order_by(*order).limit(1)
        return bool(connection.execute(first).scalar())


def _note_company(connection: Connection, owner: str) -> None:
    """Notes of a shot that the owner held alone so far that it does no longer.

    That is one row at most, and this transaction has locked none before: so it waits for no other that waits for it.
    """
    lone = sa.and_(shots.c.lease_owner == owner, shots.c.state == RUNNING, shots.c.in_company.is_(False))
    connection.execute(sa.update(shots).where(lone).values(in_company=True))


def _begun(connection: Connection, claimed: Row[Any], owner: str) -> Shot:
    """Reads what the claimed shot needs, records that its tenant was served, and checks the subject anew.

    Locks the tenant's row after the shot's: nobody who holds the former asks for the latter.
    """
    row = connection.execute(_beginning(connection.dialect.name), {"gallery_id": claimed.gallery_id}).one()
    connection.execute(_serving(connection.dialect.name), {"of_tenant": row.tenant_id})
    lease = Lease(id=claimed.id, attempt=claimed.attempt, owner=owner)
    return _to_shot(lease, claimed, row, _withheld(connection, row) if row.is_withheld else None)


@functools.cache
def _beginning(dialect: str) -> sa.Select[Any]:
    withheld = is_withheld(dialect).label("is_withheld")
    joined = galleries.join(subjects, subjects.c.id == galleries.c.subject_id)
    query = sa.select(galleries, subjects.c.class_noun, withheld).select_from(joined)
    return query.where(galleries.c.id == sa.bindparam("gallery_id"))


@functools.cache
def _serving(dialect: str) -> sa.Update:
    served = sa.update(tenants).where(tenants.c.id == sa.bindparam("of_tenant"))
    return served.values(last_shot_at=now_expression(dialect))


def _start_gallery(engine: Engine, gallery_id: str) -> bool:
    """Whether it waited still. Not where the shot is claimed: whoever cancels locks a gallery before its shots."""
    starting = sa.update(galleries).where(galleries.c.id == gallery_id, galleries.c.state == PENDING)
    with write(engine) as connection:
        now = now_expression(connection.dialect.name)
        values = {"state": RUNNING, "revision": galleries.c.revision + 1, "started_at": now}
        return connection.execute(starting.values(**values)).rowcount == 1


def _withheld(connection: Connection, row: Row[Any]) -> Failure | None:
    """Why the shot must not be painted any more."""
    try:
        check_unexpired(connection, row.subject_id)
        check_consent(connection, row.tenant_id, row.subject_id, Purpose.PAINTING)
    except FailedPreconditionError as error:
        return Failure(error.reason, error.message)
    return None


def _to_shot(lease: Lease, claimed: Row[Any], row: Row[Any], withheld: Failure | None) -> Shot:
    """`claimed` has the shot's columns, `row` those of its gallery."""
    counts = style_shots_of(row)
    style, _ = place_of(claimed.number, counts)
    return Shot(
        lease=lease,
        gallery_id=row.id,
        subject_id=row.subject_id,
        tenant_id=row.tenant_id,
        number=claimed.number,
        seed=claimed.seed,
        seed_step=counts[style],
        tries=claimed.tries,
        most_tries=most_tries(row.max_tries, sum(counts)),
        budget=row.max_tries * sum(counts),
        profile=Profile.from_json(row.profile) if row.profile is not None else PROFILE_WORTHY,
        counted_attempts=lease.attempt - claimed.earlier_attempts - claimed.uncounted_attempts,
        uncounted_attempts=claimed.uncounted_attempts,
        lost_workers=claimed.lost_workers,
        lone_losses=claimed.lone_losses,
        cancel_requested=claimed.cancel_requested,
        recipe=Style(**row.styles[style]),
        adapter=Adapter(**row.adapter),
        class_noun=row.class_noun,
        image_format=row.format,
        quality=row.quality,
        priority=row.priority,
        remix=Remix.from_json(row.remix),
        rights=TenantRights(**row.rights) if row.rights is not None else None,
        frame=Frame.from_json(row.frame),
        withheld=withheld,
        ordered_at=row.created_at,
        origin=row.origin,
        starts_gallery=row.state == PENDING,
    )
