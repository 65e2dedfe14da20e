"""Removes adapters whose time has come, and the rows of erased subjects. Blocking SQL."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.artifacts import ArtifactStore
from headshots.database import now_expression, write
from headshots.schema import training_jobs, trainings
from headshots.stores import tombstones
from services.gateway.api.names import training_name
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.erasures.commitments import forget
from services.gateway.tenants.ownership import object_prefix
from services.gateway.trainings.events import delete_events_of_subject
from services.gateway.trainings.rows import adapter_digests


def remove_adapter(
    connection: Connection, store: ArtifactStore, tenant_id: str, subject_id: str, training_id: str, today: date
) -> str | None:
    """Leaves a tombstone and removes all files of a training of a locked subject, of which no job needs any.

    The training stays, without an adapter. Returns the adapter's SHA-256 where generators have to forget it; None where
    another training of the subject has the same one, or it was removed already. `today`: of the tombstone.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    mine = trainings.c.id == training_id
    job = connection.execute(sa.select(trainings.c.job).where(mine)).scalar()
    if job is None or job["adapter"] is None:
        return None
    sha256 = str(job["adapter"]["sha256"])
    connection.execute(sa.update(trainings).where(mine).values(job={**job, "adapter": None, "others": []}))
    forget(connection, subject_id, [str(each["key"]) for each in (job["adapter"], *job.get("others", ()))])
    name = training_name(subject_id, training_id)
    record(connection, tenant_id, subject_id, Action.ADAPTER_EXPIRED, name)
    forgotten = sha256 not in adapter_digests(connection, subject_id)
    if forgotten:
        store.put_sync(tombstones.tombstone_key(today, sha256, subject_id), b"")
    store.delete_prefix_sync(f"{object_prefix(tenant_id, subject_id)}/adapters/{training_id}")
    return sha256 if forgotten else None


def delete_lost_jobs(engine: Engine, *, older_seconds: float) -> int:
    """Removes jobs of the trainer that no training is left of; returns how many.

    Each has the id of its training, which goes with its subject. A gateway may have been sending one just then.
    """
    with write(engine) as connection:
        made_before = training_jobs.c.created_at < now_expression(connection.dialect.name) - older_seconds
        lost = sa.not_(sa.exists().where(trainings.c.id == training_jobs.c.id))
        return connection.execute(sa.delete(training_jobs).where(made_before, lost)).rowcount


def delete_of_subject(connection: Connection, subject_id: str) -> None:
    """Removes the rows of an erased subject, also those of the trainer's jobs, whose ids are those of the trainings.

    A job's row names photos and adapter by key, so it is removed in the same transaction and without waiting for a
    trainer: see docs/decisions/0004.
    """
    of_subject = sa.select(trainings.c.id).where(trainings.c.subject_id == subject_id)
    connection.execute(sa.delete(training_jobs).where(training_jobs.c.id.in_(of_subject)))
    delete_events_of_subject(connection, subject_id)
    connection.execute(sa.delete(trainings).where(trainings.c.subject_id == subject_id))
