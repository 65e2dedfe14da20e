"""Removes the adapter of a training whose time has come. Blocking SQL."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headshots.artifacts import ArtifactStore
from headshots.schema import trainings
from headshots.stores import tombstones
from services.gateway.api.names import training_name
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.tenants.ownership import object_prefix
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
    connection.execute(sa.update(trainings).where(mine).values(job={**job, "adapter": None}))
    name = training_name(subject_id, training_id)
    record(connection, tenant_id, subject_id, Action.ADAPTER_EXPIRED, name)
    forgotten = sha256 not in adapter_digests(connection, subject_id)
    if forgotten:
        store.put_sync(tombstones.tombstone_key(today, sha256, subject_id), b"")
    store.delete_prefix_sync(f"{object_prefix(tenant_id, subject_id)}/adapters/{training_id}")
    return sha256 if forgotten else None
