"""Keeps until when each subject is kept, and leases those whose time has come to be erased. Blocking SQL.

A row is written with its subject and removed when the subject is erased. Whoever locks a subject or a gallery and one
of these rows locks the row last.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine, Row

from headshots import leases
from headshots.database import database_now, now_expression, read, write
from headshots.errors import FailedPreconditionError
from headshots.leases import Lease
from headshots.schema import MAX_RETENTION_SECONDS, PENDING, SUCCEEDED, retentions, subjects, tenants
from services.gateway.api.names import subject_name
from services.gateway.retention import terms
from services.gateway.retention.checks import is_due, subject_expired
from services.gateway.retention.models import NO_TERMS, Hold, OwnTerms, Retention
from services.gateway.retention.rules import check_extension, check_own

_TOLD = (retentions.c.expires_at, retentions.c.held_at, retentions.c.hold_reason, retentions.c.photos_expire_at)
COLUMNS = [column.label(f"retention_{column.name}") for column in _TOLD]
"""Of a query that has `retentions` beside another table; see `of_row`."""


def begin(connection: Connection, tenant_id: str, subject_id: str, own: OwnTerms = NO_TERMS) -> None:
    """Records how long a new subject is kept.

    Raises:
        InvalidArgumentError: RETENTION_INVALID.
    """
    check_own(own)
    policy = sa.select(tenants.c.retention_seconds).where(tenants.c.id == tenant_id)
    seconds = own.seconds or connection.execute(policy).scalar_one()
    connection.execute(
        sa.insert(retentions).values(
            id=subject_id,
            tenant_id=tenant_id,
            own_seconds=own.seconds or None,
            own_photo_seconds=own.photo_seconds,
            expires_at=database_now(connection) + seconds,
        )
    )


def begin_missing(engine: Engine) -> int:
    """Keeps subjects that have no time for as long as their tenant says, from now on; returns how many there were.

    An older gateway makes such ones after a newer one has migrated the database. Reads all subjects.
    """
    dialect = engine.dialect.name
    timeless = (
        sa.select(subjects.c.id, subjects.c.tenant_id, now_expression(dialect) + tenants.c.retention_seconds)
        .join(tenants, tenants.c.id == subjects.c.tenant_id)
        .where(sa.not_(subjects.c.deleting), sa.not_(sa.exists().where(retentions.c.id == subjects.c.id)))
    )
    with read(engine) as connection:
        # As a rule there is none, and no write lock is taken.
        if connection.execute(timeless.limit(1)).first() is None:
            return 0
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    begun = insert(retentions).from_select(["id", "tenant_id", "expires_at"], timeless).on_conflict_do_nothing()
    with write(engine) as connection:
        return connection.execute(begun).rowcount


def delivered(connection: Connection, subject_id: sa.ColumnElement[str]) -> None:
    """Keeps a subject for its time from now on, if it is not kept for longer already; the gallery's lock is held.

    What was still being painted when its time came brings nobody back.
    """
    now = now_expression(connection.dialect.name)
    policy = sa.select(tenants.c.retention_seconds).where(tenants.c.id == retentions.c.tenant_id).scalar_subquery()
    until = now + sa.func.coalesce(retentions.c.own_seconds, policy)
    mine = sa.and_(retentions.c.id == subject_id, sa.not_(is_due(connection.dialect.name)))
    connection.execute(sa.update(retentions).where(mine).values(expires_at=_later(until)))


def extend(connection: Connection, subject_id: str, until: float) -> None:
    """Keeps a subject until this time; the caller has found and locked it.

    Raises:
        InvalidArgumentError: RETENTION_INVALID.
    """
    mine = retentions.c.id == subject_id
    present = connection.execute(sa.select(retentions.c.expires_at).where(mine)).scalar_one()
    check_extension(database_now(connection), present, until)
    # A gallery may be delivered at this moment.
    connection.execute(sa.update(retentions).where(mine).values(expires_at=_later(sa.literal(until))))


def _later(until: sa.ColumnElement[float]) -> sa.ColumnElement[float]:
    return sa.case((retentions.c.expires_at < until, until), else_=retentions.c.expires_at)


def hold(connection: Connection, subject_id: str, reason: str) -> None:
    """Suspends a subject's time for this reason, in place of an earlier one; the caller has found and locked it."""
    values = {"held_at": database_now(connection), "hold_reason": reason}
    connection.execute(sa.update(retentions).where(retentions.c.id == subject_id).values(**values))


def release(connection: Connection, subject_id: str) -> None:
    """Lets a subject's time count again; the caller has found and locked it."""
    mine = retentions.c.id == subject_id
    connection.execute(sa.update(retentions).where(mine).values(held_at=None, hold_reason=None))


def retention_of(connection: Connection, subject_id: str) -> Retention | None:
    """Until when the subject is kept; None where it is gone."""
    row = connection.execute(sa.select(*COLUMNS).where(retentions.c.id == subject_id)).first()
    return None if row is None else of_row(row)


def seconds_left(engine: Engine, subject_id: str) -> int:
    """For how many seconds a subject is kept from now on, at least 1; while it is held for as long as any may be.

    Raises:
        FailedPreconditionError: SUBJECT_EXPIRED, it was erased since the caller found it.
    """
    with read(engine) as connection:
        kept = retention_of(connection, subject_id)
        if kept is None:
            raise subject_expired(connection, subject_id)
        left = kept.expires_at - database_now(connection)
    return MAX_RETENTION_SECONDS if kept.hold is not None else max(1, int(left))


def is_held(connection: Connection, subject_id: str) -> bool:
    """Whether somebody holds the subject."""
    held = sa.and_(retentions.c.id == subject_id, retentions.c.held_at.is_not(None))
    return connection.execute(sa.select(retentions.c.id).where(held)).first() is not None


def check_not_held(connection: Connection, subject_id: str) -> None:
    """Returns where nobody holds the subject.

    Raises:
        FailedPreconditionError: SUBJECT_HELD.
    """
    kept = retention_of(connection, subject_id)
    if kept is not None and kept.hold is not None:
        name = subject_name(subject_id)
        raise FailedPreconditionError(
            "SUBJECT_HELD",
            f"{name} is held: {kept.hold.reason}; call ReleaseSubject first where that is no reason any more",
            metadata={"name": name},
        )


def claim_due(engine: Engine, *, owner: str, ttl_seconds: float) -> Lease | None:
    """Leases the subject whose time came first of those that nobody has hidden yet; None where there is none."""
    with read(engine) as connection:
        due = is_due(connection.dialect.name)
        # Reading first: where nobody's time has come, no write lock is taken.
        if connection.execute(due_query(connection)).first() is None:
            return None
    order = (retentions.c.expires_at,)
    return leases.claim(engine, retentions, owner=owner, ttl_seconds=ttl_seconds, order_by=order, where=due)


def give_back(engine: Engine, lease: Lease) -> None:
    """Undoes `claim_due`: the row waits for its time as before.

    Raises:
        LeaseLostError: another gateway has it, or the subject is erased.
    """
    leases.release(engine, retentions, lease)


def due_query(connection: Connection) -> sa.Select[Any]:
    """One subject that `claim_due` could lease."""
    dialect = connection.dialect.name
    waiting = sa.and_(leases.claimable(retentions, now_expression(dialect)), is_due(dialect))
    return sa.select(retentions.c.id).where(waiting).order_by(retentions.c.expires_at, retentions.c.id).limit(1)


def still_due(connection: Connection, subject_id: str) -> bool:
    """Whether a locked subject's time has come still: it may have been extended or held since it was leased."""
    due = sa.and_(retentions.c.id == subject_id, is_due(connection.dialect.name))
    return connection.execute(sa.select(retentions.c.id).where(due)).first() is not None


def end(connection: Connection, lease: Lease, *, is_due: bool) -> None:
    """Ends a lease: for good where the subject is hidden, or it waits for its time.

    Raises:
        LeaseLostError: another gateway has it, or the subject is erased.
    """
    leases.update_in(connection, retentions, lease, state=SUCCEEDED if is_due else PENDING)


def delete_of_subject(connection: Connection, subject_id: str) -> None:
    """Removes the row of an erased subject, and those of its parts."""
    terms.delete_of_subject(connection, subject_id)
    connection.execute(sa.delete(retentions).where(retentions.c.id == subject_id))


def of_row(row: Row[Any]) -> Retention:
    """Until when a subject is kept, of a row with `COLUMNS`."""
    hold = Hold(row.retention_hold_reason, row.retention_held_at) if row.retention_held_at is not None else None
    return Retention(row.retention_expires_at, hold, row.retention_photos_expire_at)
