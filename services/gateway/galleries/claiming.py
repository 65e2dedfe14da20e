"""Claims shots, which are leased rows, by fair share, and counts the workers that were lost with each. Blocking SQL.

Tenants come before priorities: whatever others have queued, a tenant with nothing running is served before all that
have something running. High priority gives a tenant a larger share of the running shots, as many times as large as its
weight says, and so never all of them.

What a lost worker did is not the shot's attempt: most are killed, frozen or cut off for reasons of their own. Only one
that held nothing else, from the claim to its end, is evidence against a shot, so a shot that several were lost with is
painted alone, and after `MAX_LONE_LOSSES` different workers it is given up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots import leases
from headshots.acceptance.profiles import PROFILE_WORTHY, Profile
from headshots.database import now_expression, read, write
from headshots.errors import FailedPreconditionError
from headshots.leases import Lease
from headshots.looks.frame import Frame
from headshots.marking.rights import TenantRights
from headshots.schema import PENDING, RUNNING, galleries, shots, subjects, tenants
from headshots.styles.recipe import Style
from services.gateway.consents.checks import check_consent
from services.gateway.consents.models import Purpose
from services.gateway.galleries.images.tries import most_tries
from services.gateway.galleries.limits import ALONE_AFTER_LOSSES, open_galleries, withheld_galleries
from services.gateway.galleries.models import place_of
from services.gateway.galleries.queue.fair_share import first_gallery, order_of_shots, running_by_tenant
from services.gateway.galleries.queue.shot import Shot
from services.gateway.galleries.remix import Remix
from services.gateway.galleries.rows import style_shots_of
from services.gateway.peers.models import Adapter, Failure
from services.gateway.peers.pools.openness import ALL, Openness
from services.gateway.retention.checks import check_unexpired


def claim(
    engine: Engine,
    *,
    owner: str,
    ttl_seconds: float,
    has_others: bool = False,
    by_clock: bool = True,
    openness: Openness = ALL,
) -> Shot | None:
    """Takes the next shot; None where none of an open foundation waits. `has_others`: whether the owner holds others.

    Without `by_clock` shots of people who do not agree or are not kept any more, which would fail, go on waiting.

    First the tenant with the fewest running shots, divided by its weight where a high-priority shot of it waits; then
    the one that got a shot longest ago. Within a tenant high priority goes first, then the oldest gallery; in it shots
    that fewer workers were lost with, then those with fewer tries, then by number. While the next shot needs to be
    alone, an owner that has others gets none.
    """
    with read(engine) as connection:
        is_due = _is_due(connection.dialect.name, by_clock, openness)
        if has_others:
            is_due = sa.and_(is_due, ~_needs_to_be_alone(owner))
        running = running_by_tenant(connection)
        # Reading first: an empty queue takes no write lock, and no write waits while thousands of shots are ordered.
        if (gallery_id := first_gallery(connection, running, _waiting(connection, is_due))) is None:
            return None
        waiting = _waiting(connection, _is_due(connection.dialect.name, by_clock, openness))
        if has_others and _next_needs_to_be_alone(connection, waiting, running, owner):
            return None
    with write(engine) as connection:
        if has_others:
            _note_company(connection, owner)
        values = {**_losses(owner), "in_company": has_others}
        lease = _claim_of(connection, gallery_id, running, is_due, owner, ttl_seconds, values)
    return _begin(engine, lease) if lease is not None else None


def _claim_of(
    connection: Connection,
    gallery_id: str,
    running: Mapping[str, int],
    is_due: sa.ColumnElement[bool],
    owner: str,
    ttl_seconds: float,
    values: Mapping[str, Any],
) -> Lease | None:
    """Of this gallery, or of another where others have taken all of it since it was found."""
    named: dict[str, Any] = {"owner": owner, "ttl_seconds": ttl_seconds, "values": values}
    within = _order_in_gallery(owner)
    of_gallery = sa.and_(shots.c.gallery_id == gallery_id, is_due)
    lease = leases.claim_in(connection, shots, **named, order_by=within, where=of_gallery)
    if lease is not None:
        return lease
    return leases.claim_in(connection, shots, **named, order_by=[*order_of_shots(running), *within], where=is_due)


def _waiting(connection: Connection, is_due: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.and_(leases.claimable(shots, now_expression(connection.dialect.name)), is_due)


def _is_due(dialect: str, by_clock: bool, openness: Openness) -> sa.ColumnElement[bool]:
    """Whether a shot may be claimed now; see :func:`claim`."""
    is_due = leases.is_past(shots.c.not_before, now_expression(dialect))
    if not by_clock:
        is_due = sa.and_(is_due, shots.c.gallery_id.not_in(withheld_galleries(dialect)))
    if openness != ALL:
        is_due = sa.and_(is_due, shots.c.gallery_id.in_(open_galleries(openness)))
    return is_due


def _next_needs_to_be_alone(
    connection: Connection, waiting: sa.ColumnElement[bool], running: Mapping[str, int], owner: str
) -> bool:
    alone = _needs_to_be_alone(owner)
    # Ordering all that wait is the dearer question, and there is hardly ever such a shot.
    if connection.execute(sa.select(shots.c.id).where(waiting, alone).limit(1)).first() is None:
        return False
    order = [*order_of_shots(running), *_order_in_gallery(owner), shots.c.id]
    first = sa.select(alone).where(waiting).order_by(*order).limit(1)
    return bool(connection.execute(first).scalar())


def _needs_to_be_alone(owner: str) -> sa.ColumnElement[bool]:
    """`Shot.needs_to_be_alone` of a waiting shot if `owner` claimed it now."""
    return _lost_workers(owner) >= ALONE_AFTER_LOSSES


def _lost_workers(owner: str) -> sa.ColumnElement[int]:
    """Of a waiting shot, with the worker that has just lost it; where that is `owner` itself, it only slept."""
    return shots.c.lost_workers + sa.case((_lost_by_another(owner), 1), else_=0)


def _lost_by_another(owner: str) -> sa.ColumnElement[bool]:
    """Whether a waiting shot still bears the name of a worker that lost it."""
    return sa.and_(shots.c.state == RUNNING, shots.c.lease_owner != owner)


def _note_company(connection: Connection, owner: str) -> None:
    """Notes of a shot that the owner held alone so far that it does no longer.

    That is one row at most, and this transaction has locked none before: so it waits for no other that waits for it.
    """
    lone = sa.and_(shots.c.lease_owner == owner, shots.c.state == RUNNING, shots.c.in_company.is_(False))
    connection.execute(sa.update(shots).where(lone).values(in_company=True))


def _order_in_gallery(owner: str) -> list[sa.ColumnElement[Any]]:
    # Each has its first try before another has a second one: what the former leave, the latter may take.
    return [_lost_workers(owner), shots.c.tries, shots.c.number]


def _losses(owner: str) -> dict[str, Any]:
    """What a claim writes about the worker that lost the shot, where one did. Of one worker one lone loss counts."""
    lost_alone = sa.and_(_lost_by_another(owner), shots.c.in_company.is_(False))
    is_another = shots.c.lost_alone_by.is_distinct_from(shots.c.lease_owner)
    return {
        "uncounted_attempts": shots.c.uncounted_attempts + sa.case((shots.c.state == RUNNING, 1), else_=0),
        "lost_workers": _lost_workers(owner),
        "lone_losses": shots.c.lone_losses + sa.case((sa.and_(lost_alone, is_another), 1), else_=0),
        "lost_alone_by": sa.case((lost_alone, shots.c.lease_owner), else_=shots.c.lost_alone_by),
    }


def _begin(engine: Engine, lease: Lease) -> Shot:
    """Reads the claimed shot, starts its gallery, records that its tenant was served, and checks the subject anew."""
    with write(engine) as connection:
        row = connection.execute(
            sa.select(
                *(shots.c.number, shots.c.seed.label("shot_seed"), shots.c.tries),
                shots.c.earlier_attempts,
                shots.c.uncounted_attempts,
                shots.c.lost_workers,
                shots.c.lone_losses,
                shots.c.cancel_requested,
                galleries,
                subjects.c.class_noun,
            )
            .join(galleries, galleries.c.id == shots.c.gallery_id)
            .join(subjects, subjects.c.id == galleries.c.subject_id)
            .where(shots.c.id == lease.id)
        ).one()
        now = now_expression(connection.dialect.name)
        starts_gallery = row.state == PENDING
        if starts_gallery:
            starting = sa.update(galleries).where(galleries.c.id == row.id, galleries.c.state == PENDING)
            values = {"state": RUNNING, "revision": galleries.c.revision + 1, "started_at": now}
            starts_gallery = connection.execute(starting.values(**values)).rowcount == 1
        connection.execute(sa.update(tenants).where(tenants.c.id == row.tenant_id).values(last_shot_at=now))
        return _to_shot(lease, row, _withheld(connection, row), starts_gallery=starts_gallery)


def _withheld(connection: Connection, row: Row[Any]) -> Failure | None:
    """Why the shot must not be painted any more."""
    try:
        check_unexpired(connection, row.subject_id)
        check_consent(connection, row.tenant_id, row.subject_id, Purpose.PAINTING)
    except FailedPreconditionError as error:
        return Failure(error.reason, error.message)
    return None


def _to_shot(lease: Lease, row: Row[Any], withheld: Failure | None, *, starts_gallery: bool) -> Shot:
    counts = style_shots_of(row)
    style, _ = place_of(row.number, counts)
    return Shot(
        lease=lease,
        gallery_id=row.id,
        subject_id=row.subject_id,
        tenant_id=row.tenant_id,
        number=row.number,
        seed=row.shot_seed,
        seed_step=counts[style],
        tries=row.tries,
        most_tries=most_tries(row.max_tries, sum(counts)),
        budget=row.max_tries * sum(counts),
        profile=Profile.from_json(row.profile) if row.profile is not None else PROFILE_WORTHY,
        counted_attempts=lease.attempt - row.earlier_attempts - row.uncounted_attempts,
        uncounted_attempts=row.uncounted_attempts,
        lost_workers=row.lost_workers,
        lone_losses=row.lone_losses,
        cancel_requested=row.cancel_requested,
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
        starts_gallery=starts_gallery,
    )
