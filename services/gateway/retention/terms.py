"""Keeps what of a subject goes before it, and leases what is due to be removed. Blocking SQL.

What goes says itself, in its own row, from when on no call uses it. A row of `terms` makes a sweep remove it: it is
written with that time and removed with what it is of. Whoever locks other rows locks one of these last.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from headshots import leases
from headshots.database import now_expression, read
from headshots.leases import Lease, LeaseLostError
from headshots.schema import PENDING, retentions, tenants, terms


class Part(Enum):
    """What of a subject may go before it; the value begins ids of rows."""

    PHOTOS = "photos"
    ADAPTER = "adapter"
    """All files of a training."""
    IMAGES = "images"
    """Of a gallery, with the tries that were refused."""


@dataclass(frozen=True)
class Term:
    """A part whose time may have come."""

    part: Part
    subject_id: str
    of: str
    """The id of what it is of: the subject, the training, the gallery."""


_POLICIES: dict[Part, sa.ColumnElement[int]] = {
    Part.PHOTOS: sa.func.coalesce(retentions.c.own_photo_seconds, tenants.c.photo_retention_seconds),
    Part.ADAPTER: tenants.c.adapter_retention_seconds,
    Part.IMAGES: tenants.c.image_retention_seconds,
}


def seconds_kept(connection: Connection, part: Part, subject_id: str) -> int | None:
    """How long this part of a subject is kept after a delivery; None: as long as the subject."""
    query = sa.select(_POLICIES[part]).join(tenants, tenants.c.id == retentions.c.tenant_id)
    seconds = connection.execute(query.where(retentions.c.id == subject_id)).scalar()
    return None if seconds is None else int(seconds)


def begin(connection: Connection, part: Part, subject_id: str, of: str, expires_at: float) -> None:
    """Lets a sweep remove this part from then on, in place of an earlier time of it."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    # A sweep that has leased an earlier time finds its lease lost and removes nothing.
    begun = {"expires_at": expires_at, "state": PENDING, "lease_owner": None, "lease_expires_at": None}
    row = insert(terms).values(id=f"{part.value}-{of}", subject_id=subject_id, **begun)
    anew = {**begun, "attempt": terms.c.attempt + 1}
    connection.execute(row.on_conflict_do_update(index_elements=["id"], set_=anew))


def begin_from(connection: Connection, part: Part, subject_id: str, of: str, delivered_at: float) -> float | None:
    """The same, so long after a delivery as is said of the part; when, None: it is kept as long as the subject."""
    seconds = seconds_kept(connection, part, subject_id)
    if seconds is None:
        return None
    begin(connection, part, subject_id, of, delivered_at + seconds)
    return delivered_at + seconds


def begin_photos(connection: Connection, subject_id: str, expires_at: float, *, first: float | None) -> None:
    """The same of photos of a subject, which tells of it, also once they are removed.

    `first`: when those of its photos are due that are due first.
    """
    mine = retentions.c.id == subject_id
    connection.execute(sa.update(retentions).where(mine).values(photos_expire_at=expires_at))
    begin(connection, Part.PHOTOS, subject_id, subject_id, expires_at if first is None else first)


def had_photos(connection: Connection, subject_id: str) -> bool:
    """Whether a time of the subject's photos has come."""
    past = retentions.c.photos_expire_at <= now_expression(connection.dialect.name)
    return connection.execute(sa.select(retentions.c.id).where(retentions.c.id == subject_id, past)).first() is not None


def claim_due(engine: Engine, *, owner: str, ttl_seconds: float) -> Lease | None:
    """Leases what came due first; None where there is none.

    What cannot be removed yet, as a job needs it, keeps its lease: it is looked at again when that has run out.
    """
    with read(engine) as connection:
        due = _is_due(connection.dialect.name)
        # Reading first: where nothing is due, no write lock is taken.
        if connection.execute(due_query(connection)).first() is None:
            return None
    order = (terms.c.expires_at,)
    return leases.claim(engine, terms, owner=owner, ttl_seconds=ttl_seconds, order_by=order, where=due)


def give_back(engine: Engine, lease: Lease) -> None:
    """Undoes `claim_due`: the part waits for its time as before.

    Raises:
        LeaseLostError: another gateway has it, or it is removed.
    """
    leases.release(engine, terms, lease)


def due_query(connection: Connection) -> sa.Select[Any]:
    """One row that `claim_due` could lease."""
    dialect = connection.dialect.name
    waiting = sa.and_(leases.claimable(terms, now_expression(dialect)), _is_due(dialect))
    return sa.select(terms.c.id).where(waiting).order_by(terms.c.expires_at, terms.c.id).limit(1)


def _is_due(dialect: str) -> sa.ColumnElement[bool]:
    # In a query of its own the clock is read once, and PostgreSQL searches the index.
    return terms.c.expires_at <= sa.select(now_expression(dialect)).scalar_subquery()


def subject_of(connection: Connection, lease: Lease) -> str | None:
    """Whose a leased part is; None where it is gone."""
    return connection.execute(sa.select(terms.c.subject_id).where(terms.c.id == lease.id)).scalar()


def still_due(connection: Connection, lease: Lease) -> Term:
    """What is to be removed under the lease; the caller has locked the subject.

    Raises:
        LeaseLostError: another gateway removes it, its time was moved, or it is gone.
    """
    row = connection.execute(sa.select(terms).where(terms.c.id == lease.id, terms.c.attempt == lease.attempt)).first()
    if row is None:
        raise LeaseLostError(lease)
    part, _, of = row.id.partition("-")
    return Term(Part(part), row.subject_id, of)


def end(connection: Connection, lease: Lease) -> None:
    """Removes the row of a part that was removed.

    Raises:
        LeaseLostError: another gateway removes it, its time was moved, or it is gone.
    """
    leases.update_in(connection, terms, lease)
    connection.execute(sa.delete(terms).where(terms.c.id == lease.id))


def delete_of_subject(connection: Connection, subject_id: str) -> None:
    """Removes the rows of an erased subject."""
    connection.execute(sa.delete(terms).where(terms.c.subject_id == subject_id))
