"""Leases rows to workers: a table is the queue of its rows.

A worker claims a row by writing its name and an expiry time into it, renews that while it works, and fences every
further write by ``(id, attempt)``: each claim raises ``attempt``, so a worker that froze and woke after its lease ran
out cannot overwrite its successor. Works on any table of :mod:`headshots.schema` with the lease columns. The clock is
the database's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.database import now_expression, write
from headshots.errors import HeadshotsError
from headshots.schema import PENDING, RUNNING

LONGEST_SECONDS = 3600.0
"""No lease and no pause before another try is longer: what ends later was written while the clock was ahead."""


@dataclass(frozen=True)
class Lease:
    """The right to write to a row. ``attempt`` counts claims, from 1, and is the fence."""

    id: str
    attempt: int
    owner: str


class LeaseLostError(HeadshotsError):
    """Another worker has the row by now; stop working on it and write nothing."""

    def __init__(self, lease: Lease) -> None:
        super().__init__("LEASE_LOST", f"attempt {lease.attempt} of {lease.id} is no longer the current one")


def claimable(table: sa.Table, now: sa.ColumnElement[float]) -> sa.ColumnElement[bool]:
    """Rows that a worker may take: waiting, or running under a lease that ran out."""
    return sa.or_(
        table.c.state == PENDING,
        sa.and_(
            table.c.state == RUNNING,
            sa.or_(table.c.lease_expires_at.is_(None), is_past(table.c.lease_expires_at, now)),
        ),
    )


def is_past(time: sa.ColumnElement[float], now: sa.ColumnElement[float]) -> sa.ColumnElement[bool]:
    """Whether the end of a lease or of a pause has come, also where the clock was set back since it was written."""
    return sa.or_(time <= now, time > now + LONGEST_SECONDS)


def pause_seconds(wanted: float) -> float:
    """A pause as `is_past` bounds it, with room for clocks that are corrected while they run."""
    return min(wanted, LONGEST_SECONDS / 2)


def claim(
    engine: Engine,
    table: sa.Table,
    *,
    owner: str,
    ttl_seconds: float,
    order_by: Sequence[sa.ColumnElement[Any]] = (),
    where: sa.ColumnElement[bool] | None = None,
) -> Lease | None:
    """Take one claimable row, the first in ``order_by`` (default: by id); ``None`` when there is none.

    Two workers never take the same row: SQLite has one writer, PostgreSQL skips locked rows.
    """
    with write(engine) as connection:
        return claim_in(connection, table, owner=owner, ttl_seconds=ttl_seconds, order_by=order_by, where=where)


def claim_in(
    connection: Connection,
    table: sa.Table,
    *,
    owner: str,
    ttl_seconds: float,
    order_by: Sequence[sa.ColumnElement[Any]] = (),
    where: sa.ColumnElement[bool] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Lease | None:
    """:func:`claim` within the caller's transaction.

    ``values`` are written with the claim. Expressions in them see the row as it was before: where its state is
    ``running``, the worker in ``lease_owner`` has lost it.
    """
    named: dict[str, Any] = {"owner": owner, "ttl_seconds": ttl_seconds, "values": values}
    first = claiming(table, connection.dialect.name, order_by=order_by, where=where, **named)
    row = connection.execute(first.returning(table.c.id, table.c.attempt)).first()
    return None if row is None else Lease(id=row.id, attempt=row.attempt, owner=owner)


def claiming(
    table: sa.Table,
    dialect: str,
    *,
    owner: str,
    ttl_seconds: float,
    order_by: Sequence[sa.ColumnElement[Any]] = (),
    where: sa.ColumnElement[bool] | None = None,
    values: Mapping[str, Any] | None = None,
) -> sa.Update:
    """The statement of :func:`claim_in`, for who wants more columns with the lease, or makes it once for all claims."""
    now = now_expression(dialect)
    wanted = claimable(table, now) if where is None else sa.and_(claimable(table, now), where)
    first = (
        sa.select(table.c.id)
        .where(wanted)
        .order_by(*order_by, table.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=table)
        .correlate(None)
        .scalar_subquery()
    )
    return (
        sa.update(table)
        .where(table.c.id == first)
        .values(
            state=RUNNING,
            attempt=table.c.attempt + 1,
            lease_owner=owner,
            lease_expires_at=now + ttl_seconds,
            revision=table.c.revision + 1,
            **(values or {}),
        )
    )


def renew(engine: Engine, table: sa.Table, lease: Lease, *, ttl_seconds: float) -> bool:
    """Push the expiry out; returns whether somebody has asked to cancel the row.

    A lease that has run out but was not taken by anybody can still be renewed.

    Raises:
        LeaseLostError: another attempt has begun, or the row is no longer running.
    """
    with write(engine) as connection:
        now = now_expression(connection.dialect.name)
        row = connection.execute(
            sa.update(table)
            .where(_held(table, lease))
            .values(lease_expires_at=now + ttl_seconds)
            .returning(table.c.cancel_requested)
        ).first()
    if row is None:
        raise LeaseLostError(lease)
    return bool(row.cancel_requested)


def update(engine: Engine, table: sa.Table, lease: Lease, **values: Any) -> None:
    """Write ``values`` under the fence; ``revision`` grows by one.

    Setting ``state`` to anything but ``running`` gives the lease up in the same write.

    Raises:
        LeaseLostError: as :func:`renew`.
    """
    with write(engine) as connection:
        update_in(connection, table, lease, **values)


def update_in(connection: Connection, table: sa.Table, lease: Lease, **values: Any) -> None:
    """:func:`update` within the caller's transaction."""
    if values.get("state", RUNNING) != RUNNING:
        values = {"lease_owner": None, "lease_expires_at": None, **values}
    result = connection.execute(
        sa.update(table).where(_held(table, lease)).values(revision=table.c.revision + 1, **values)
    )
    if result.rowcount != 1:
        raise LeaseLostError(lease)


def release(engine: Engine, table: sa.Table, lease: Lease, **values: Any) -> None:
    """Give the row back to the queue for another worker, e.g. while draining.

    ``attempt`` stays raised: it is the fence. A caller that must not count this attempt keeps its own counter.

    Raises:
        LeaseLostError: as :func:`renew`.
    """
    update(engine, table, lease, state=PENDING, **values)


def _held(table: sa.Table, lease: Lease) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.id == lease.id, table.c.attempt == lease.attempt, table.c.state == RUNNING)
