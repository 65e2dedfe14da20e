"""Erases the rows and objects of a subject. Blocking; `Eraser` calls it off the event loop.

Three steps, each of which may be repeated: `mark_deleted` hides the subject, `erase` removes all that it has, and some
time later `complete` removes objects that came after that, and the subject's row. Such an object may be an image that a
generator was still writing when its call was cancelled.

Before anything is removed, `erase` leaves a tombstone for each adapter: generators read them, also those that were
away, and forget the adapter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.artifacts import ArtifactStore
from headshots.database import database_now, forget_deleted, now_expression, read, write
from headshots.errors import FailedPreconditionError
from headshots.leases import Lease, LeaseLostError
from headshots.schema import subjects
from headshots.stores import tombstones
from services.gateway.api.names import subject_name
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.consents import rows as consent_rows
from services.gateway.galleries import rows as gallery_rows
from services.gateway.marks.rows import erase_marks
from services.gateway.photos import rows as photo_rows
from services.gateway.retention import rows as retention_rows
from services.gateway.shoots import rows as shoot_rows
from services.gateway.tenants.ownership import find_subject, lock_subject, object_prefix, subject_not_found
from services.gateway.trainings import rows as training_rows


@dataclass(frozen=True)
class Erasure:
    """A subject that is being erased."""

    tenant_id: str
    subject_id: str
    is_erased: bool
    """Whether only `complete` is left."""


@dataclass(frozen=True)
class Expiry:
    """A subject that was hidden because its time has come."""

    tenant_id: str
    galleries: list[str]
    """Ids of those with shots to stop."""


def withdraw(engine: Engine, tenant_id: str, subject_id: str) -> list[str]:
    """Hides a subject whose consent is taken back, as `mark_deleted` does, and cancels all that waits or runs for it.

    What is left is `mark_deleted` and the rest, once its jobs have ended. A shoot ends with its training or gallery;
    between the two it ends because there is no such subject. Returns the ids of galleries with shots to stop.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        FailedPreconditionError: CONSENT_MISSING, none was given.
    """
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        if not consent_rows.consents_of(connection, [subject_id]):
            name = subject_name(subject_id)
            raise FailedPreconditionError(
                "CONSENT_MISSING",
                f"{name} has given no consent that could be withdrawn; DeleteSubject erases it",
                metadata={"name": name},
            )
        record(connection, tenant_id, subject_id, Action.CONSENT_WITHDRAWN)
        return _cancel_and_hide(connection, subject_id)


def expire(engine: Engine, lease: Lease) -> Expiry | None:
    """Hides a subject whose time has come, as `withdraw` does; None where it was extended, held or deleted meanwhile.

    `lease` is that of its row in `retentions`.

    Raises:
        LeaseLostError: another gateway hides it, or it is erased.
    """
    with write(engine) as connection:
        lock_subject(connection, lease.id)
        row = connection.execute(sa.select(subjects).where(subjects.c.id == lease.id)).first()
        if row is None:
            raise LeaseLostError(lease)
        due = retention_rows.still_due(connection, lease.id)
        expiry = None
        if due and not row.deleting:
            record(connection, row.tenant_id, lease.id, Action.SUBJECT_EXPIRED)
            expiry = Expiry(row.tenant_id, _cancel_and_hide(connection, lease.id))
        # After the galleries, which are locked first where one is delivered, too.
        retention_rows.end(connection, lease, is_due=due)
        return expiry


def _cancel_and_hide(connection: Connection, subject_id: str) -> list[str]:
    """Hides a locked subject and cancels its jobs; the ids of galleries with shots to stop."""
    training_rows.request_cancel_of_subject(connection, subject_id)
    cancelled = gallery_rows.request_cancel_of_subject(connection, subject_id)
    _hide(connection, subject_id)
    return cancelled


def mark_deleted(engine: Engine, tenant_id: str, subject_id: str) -> list[str]:
    """Hides the subject from every call but this one, which works until `erase` has ended.

    Returns the digests of its adapters.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        FailedPreconditionError: SUBJECT_HELD; SUBJECT_BUSY, a shoot, training or gallery of it still runs.
    """
    mine = sa.and_(subjects.c.id == subject_id, subjects.c.tenant_id == tenant_id, subjects.c.erased_at.is_(None))
    with write(engine) as connection:
        row = connection.execute(sa.select(subjects.c.deleting).where(mine).with_for_update()).first()
        if row is None:
            raise subject_not_found(subject_id)
        if not row.deleting:
            retention_rows.check_not_held(connection, subject_id)
        for noun, running in (
            ("shoots", shoot_rows.active_of_subject(connection, subject_id)),
            ("trainings", training_rows.unfinished_of_subject(connection, subject_id)),
            ("galleries", gallery_rows.active_of_subject(connection, subject_id)),
        ):
            if running is not None:
                name = f"{subject_name(subject_id)}/{noun}/{running}"
                raise FailedPreconditionError(
                    "SUBJECT_BUSY", f"{name} still runs; cancel it or let it end", metadata={"name": name}
                )
        _hide(connection, subject_id)
        if not row.deleting:
            record(connection, tenant_id, subject_id, Action.SUBJECT_DELETED)
        return training_rows.adapter_digests(connection, subject_id)


def _hide(connection: Connection, subject_id: str) -> None:
    """Takes a locked subject from every call, and what its caller called it from its row."""
    # Without its request_id, so that the same create call makes a new subject.
    forgotten: dict[str, Any] = {
        "display_name": "",
        "request_id": None,
        "request_parameters": None,
        "labels": {},
        "external_id": "",
    }
    connection.execute(sa.update(subjects).where(subjects.c.id == subject_id).values(deleting=True, **forgotten))


def erase(engine: Engine, store: ArtifactStore, tenant_id: str, subject_id: str) -> int:
    """Leaves tombstones, removes the objects, then the rows; returns how many objects there were.

    In this order, so that after a crash or a failure of the store the row still tells what to erase; and it tells so
    until no file of the database holds what was in the rows.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE, DATABASE_UNAVAILABLE; another call removes what is left.
    """
    with read(engine) as connection:
        adapters = training_rows.adapter_digests(connection, subject_id)
    for sha256 in adapters:
        store.put_sync(tombstones.tombstone_key(today(), sha256, subject_id), b"")
    removed = store.delete_prefix_sync(object_prefix(tenant_id, subject_id))
    with write(engine) as connection:
        _delete_rows(connection, subject_id)
    forget_deleted(engine)
    with write(engine) as connection:
        mine = sa.and_(subjects.c.id == subject_id, subjects.c.erased_at.is_(None))
        # Of two gateways that erase it at once, one was the first.
        if connection.execute(sa.update(subjects).where(mine).values(erased_at=database_now(connection))).rowcount:
            record(connection, tenant_id, subject_id, Action.SUBJECT_ERASED, count=removed)
    return removed


def _delete_rows(connection: Connection, subject_id: str) -> None:
    """Removes all rows that refer to the subject's; of its images' marks it stays known that they are erased."""
    shoot_rows.delete_of_subject(connection, subject_id)
    gallery_rows.delete_of_subject(connection, subject_id)
    training_rows.delete_of_subject(connection, subject_id)
    photo_rows.delete_of_subject(connection, subject_id)
    consent_rows.delete_of_subject(connection, subject_id)
    retention_rows.delete_of_subject(connection, subject_id)
    erase_marks(connection, subject_id)


def complete(engine: Engine, store: ArtifactStore, tenant_id: str, subject_id: str) -> int:
    """Removes objects that were stored since `erase`, then the row; returns how many objects there were.

    Raises as `erase`.
    """
    removed = store.delete_prefix_sync(object_prefix(tenant_id, subject_id))
    with write(engine) as connection:
        # An older gateway, which newer ones replace just now, leaves the rows of tables that it does not know.
        _delete_rows(connection, subject_id)
    # A trainer may have removed rows of its own since.
    forget_deleted(engine)
    with write(engine) as connection:
        connection.execute(sa.delete(subjects).where(subjects.c.id == subject_id))
    return removed


def remove_old_tombstones(store: ArtifactStore, now: date) -> int:
    """Removes tombstones that no generator needs any more; returns how many. Raises OBJECT_STORE_UNAVAILABLE."""
    found = [(key, tombstones.read_key(key)) for key in store.list_sync(tombstones.FOLDER)]
    old = [key for key, tombstone in found if tombstone is not None and tombstone.day < now - tombstones.KEPT]
    for key in old:
        store.delete_sync(key)
    return len(old)


def today() -> date:
    """The day of a tombstone that is left now."""
    return datetime.now(UTC).date()


def open_erasures(engine: Engine, *, grace_seconds: float) -> list[Erasure]:
    """Erasures that were interrupted, and those whose `erase` ended at least `grace_seconds` ago."""
    with read(engine) as connection:
        rows = connection.execute(open_erasures_query(connection, grace_seconds=grace_seconds))
        return [Erasure(row.tenant_id, row.id, row.erased_at is not None) for row in rows]


def open_erasures_query(connection: Connection, *, grace_seconds: float) -> sa.Select[Any]:
    """The query of `open_erasures`."""
    erased_before = now_expression(connection.dialect.name) - grace_seconds
    return sa.select(subjects).where(
        subjects.c.deleting, sa.or_(subjects.c.erased_at.is_(None), subjects.c.erased_at <= erased_before)
    )
