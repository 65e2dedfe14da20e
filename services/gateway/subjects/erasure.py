"""Erases the rows and objects of a subject. Blocking; `Eraser` calls it off the event loop.

Three steps, each of which may be repeated: `mark_deleted` hides the subject, `erase` removes all that it has, and some
time later `complete` removes objects that came after that, and the subject's row. Such an object may be an image that a
generator was still writing when its call was cancelled.

Before anything is removed, `erase` leaves an entry in the log of erasures, by which `replaying` finds who came back
from a backup, and a tombstone for each adapter, by which generators forget it, also those that were away.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.artifacts import ArtifactStore
from headshots.database import database_now, forget_deleted, read, write
from headshots.errors import FailedPreconditionError
from headshots.leases import Lease, LeaseLostError
from headshots.schema import subjects
from services.gateway.api.names import subject_name
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.consents import rows as consent_rows
from services.gateway.erasures import commitments, recording, tombstones
from services.gateway.erasures.entries import leave_entry
from services.gateway.erasures.issuing import Issuer
from services.gateway.erasures.log import ErasureLog
from services.gateway.erasures.models import Trigger
from services.gateway.galleries import rows as gallery_rows
from services.gateway.marks.rows import erase_marks
from services.gateway.photos import rows as photo_rows
from services.gateway.retention import rows as retention_rows
from services.gateway.shoots import rows as shoot_rows
from services.gateway.teams import rows as team_rows
from services.gateway.tenants.ownership import find_subject, lock_subject, object_prefix, subject_not_found
from services.gateway.trainings import removing as training_removing
from services.gateway.trainings import rows as training_rows


@dataclass(frozen=True)
class Hidden:
    """A subject that was just hidden, its jobs cancelled."""

    tenant_id: str
    subject_id: str
    erasure_id: str
    galleries: list[str]
    """Ids of those with shots to stop."""


def withdraw(engine: Engine, tenant_id: str, subject_id: str) -> Hidden:
    """Hides a subject whose consent is taken back, as `mark_deleted` does, and cancels all that waits or runs for it.

    What is left is `mark_deleted` and the rest, once its jobs have ended. A shoot ends with its training or gallery;
    between the two it ends because there is no such subject.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        FailedPreconditionError: CONSENT_MISSING, none was given.
    """
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        if consent_rows.consent_of(connection, subject_id) is None:
            name = subject_name(subject_id)
            raise FailedPreconditionError(
                "CONSENT_MISSING",
                f"{name} has given no consent that could be withdrawn; DeleteSubject erases it",
                metadata={"name": name},
            )
        record(connection, tenant_id, subject_id, Action.CONSENT_WITHDRAWN)
        return cancel_and_hide(connection, tenant_id, subject_id, Trigger.CONSENT_WITHDRAWN)


def expire(engine: Engine, lease: Lease) -> Hidden | None:
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
        hidden = None
        if due and not row.deleting:
            record(connection, row.tenant_id, lease.id, Action.SUBJECT_EXPIRED)
            hidden = cancel_and_hide(connection, row.tenant_id, lease.id, Trigger.EXPIRY)
        # After the galleries, which are locked first where one is delivered, too.
        retention_rows.end(connection, lease, is_due=due)
        return hidden


def cancel_and_hide(connection: Connection, tenant_id: str, subject_id: str, trigger: Trigger) -> Hidden:
    """Hides a locked subject and cancels its jobs."""
    training_rows.request_cancel_of_subject(connection, subject_id)
    cancelled = gallery_rows.request_cancel_of_subject(connection, subject_id)
    erasure_id = _hide(connection, tenant_id, subject_id, trigger)
    return Hidden(tenant_id, subject_id, erasure_id, cancelled)


def mark_deleted(engine: Engine, tenant_id: str, subject_id: str) -> tuple[str, list[str]]:
    """Hides the subject from every call but this one, which works until `erase` has ended.

    Returns the id of its erasure and the digests of its adapters.

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
        # What another call has hidden is recorded already, unless by a gateway that knows no records.
        trigger = Trigger.UNKNOWN if row.deleting else Trigger.REQUEST
        erasure_id = _hide(connection, tenant_id, subject_id, trigger)
        if not row.deleting:
            record(connection, tenant_id, subject_id, Action.SUBJECT_DELETED)
        return erasure_id, training_rows.adapter_digests(connection, subject_id)


def _hide(connection: Connection, tenant_id: str, subject_id: str, trigger: Trigger) -> str:
    """Takes a locked subject from every call, and what its caller called it from its row; the id of its erasure."""
    # Without its request_id, so that the same create call makes a new subject.
    forgotten: dict[str, Any] = {
        "display_name": "",
        "request_id": None,
        "request_parameters": None,
        "labels": {},
        "external_id": "",
    }
    connection.execute(sa.update(subjects).where(subjects.c.id == subject_id).values(deleting=True, **forgotten))
    return recording.begin(connection, tenant_id, subject_id, trigger)


def erase(engine: Engine, store: ArtifactStore, log: ErasureLog, tenant_id: str, subject_id: str) -> int:
    """Leaves entry and tombstones, removes the objects, then the rows; returns how many objects there were.

    In this order, so that after a crash or a failure of the store the row still tells what to erase; and it tells so
    until no file of the database holds what was in the rows.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE, DATABASE_UNAVAILABLE; another call removes what is left.
    """
    leave_entry(engine, log, tenant_id, subject_id)
    with read(engine) as connection:
        adapters = training_rows.adapter_digests(connection, subject_id)
    tombstones.leave(store, subject_id, adapters)
    removed = _remove_objects(engine, store, tenant_id, subject_id)
    with write(engine) as connection:
        _delete_rows(connection, subject_id)
    forget_deleted(engine)
    with write(engine) as connection:
        mine = sa.and_(subjects.c.id == subject_id, subjects.c.erased_at.is_(None))
        # Of two gateways that erase it at once, one was the first.
        if connection.execute(sa.update(subjects).where(mine).values(erased_at=database_now(connection))).rowcount:
            record(connection, tenant_id, subject_id, Action.SUBJECT_ERASED, count=removed)
            # After the subject, which is locked first wherever both are.
            recording.note_erased(connection, subject_id)
    return removed


def _remove_objects(engine: Engine, store: ArtifactStore, tenant_id: str, subject_id: str) -> int:
    """Removes the objects, each counted before; how many there were."""
    note = partial(recording.note_objects, engine, tenant_id, subject_id)
    return store.delete_prefix_sync(object_prefix(tenant_id, subject_id), before=note)


def _delete_rows(connection: Connection, subject_id: str) -> None:
    """Removes all rows that refer to the subject's; of its images' marks it stays known that they are erased."""
    team_rows.delete_of_subject(connection, subject_id)
    shoot_rows.delete_of_subject(connection, subject_id)
    gallery_rows.delete_of_subject(connection, subject_id)
    training_removing.delete_of_subject(connection, subject_id)
    photo_rows.delete_of_subject(connection, subject_id)
    consent_rows.delete_of_subject(connection, subject_id)
    retention_rows.delete_of_subject(connection, subject_id)
    commitments.delete_of_subject(connection, subject_id)
    erase_marks(connection, subject_id)


def complete(engine: Engine, store: ArtifactStore, issuer: Issuer, tenant_id: str, subject_id: str) -> int:
    """Removes objects that were stored since `erase`, verifies that nothing is left, and with the subject's row leaves
    a signed receipt in its place; returns how many objects there were.

    Raises as `erase`, and FailedPreconditionError: ERASURE_INCOMPLETE, something came at this moment.
    """
    removed = _remove_objects(engine, store, tenant_id, subject_id)
    with write(engine) as connection:
        # An older gateway, which newer ones replace just now, leaves the rows of tables that it does not know.
        _delete_rows(connection, subject_id)
    # A trainer may have removed rows of its own since.
    forget_deleted(engine)
    listed_at = recording.check_empty(engine, store, tenant_id, subject_id)
    with write(engine) as connection:
        lock_subject(connection, subject_id)
        # An older gateway has erased it without a record.
        recording.note_erased(connection, subject_id)
        issuer.issue(connection, tenant_id, subject_id, listed_at=listed_at)
        connection.execute(sa.delete(subjects).where(subjects.c.id == subject_id))
    # The salts of the record.
    forget_deleted(engine)
    return removed
