"""Makes subjects that are to be erased, and the stores and generators that are in the way of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from obstore.store import MemoryStore
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.artifacts import ArtifactStore
from headshots.database import database_now, read
from headshots.errors import UnavailableError
from services.gateway.api.requests import IdempotencyKey
from services.gateway.erasures.log import ErasureLog
from services.gateway.erasures.models import Trigger
from services.gateway.peers.events import GenerationEvent
from services.gateway.peers.evictions import Eviction
from services.gateway.peers.models import GenerationRequest, GeneratorDescription
from services.gateway.subjects.rows import create_subject


class FailingStore(ArtifactStore):
    """Deletes one object and fails, in the first `failures` deletions."""

    def __init__(self, failures: int) -> None:
        super().__init__(MemoryStore())
        self.failures = failures

    def delete_prefix_sync(self, prefix: str, before: Callable[[Mapping[str, int]], None] | None = None) -> int:
        if self.failures:
            self.failures -= 1
            self.delete_sync(self.list_sync(prefix)[0])
            raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "the bucket is away")
        return super().delete_prefix_sync(prefix, before)


class NoGenerator:
    """There is no adapter to evict here."""

    def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        raise AssertionError("nothing is painted here")

    async def describe(self) -> GeneratorDescription:
        raise AssertionError("nothing is painted here")

    async def evict(self, adapter_sha256: str) -> Eviction:
        raise AssertionError("no subject here has an adapter")


def subject_with_objects(engine: Engine, store: ArtifactStore) -> str:
    """The id of a new subject with three objects."""
    keys.create_tenant(engine, "acme")
    subject = create_subject(engine, "acme", display_name="Ada", class_noun="", key=IdempotencyKey()).id
    for name in ("a", "b", "c"):
        store.put_sync(f"tenants/acme/subjects/{subject}/photos/{name}.png", b"x")
    return subject


def insert_job(engine: Engine, subject: str, job_id: str) -> None:
    """A training that has ended, and its row at the trainer."""
    with engine.begin() as connection:
        connection.execute(
            sa.insert(schema.trainings).values(
                id=job_id, subject_id=subject, tenant_id="acme", state="failed", request={}, job={}, created_at=0.0
            )
        )
        connection.execute(
            sa.insert(schema.training_jobs).values(
                id=job_id,
                tenant="acme",
                state="failed",
                request={"photos": [f"{subject}/photos/a.png"]},
                created_at=0.0,
            )
        )


def job_ids(engine: Engine) -> list[str]:
    """Of the rows of trainings at the trainer."""
    with engine.connect() as connection:
        return list(connection.execute(sa.select(schema.training_jobs.c.id)).scalars())


def rows(engine: Engine) -> list[sa.Row[tuple[str, float | None]]]:
    """Id of each subject that has a row, and when it was erased."""
    with engine.connect() as connection:
        return list(connection.execute(sa.select(schema.subjects.c.id, schema.subjects.c.erased_at)))


def now(engine: Engine) -> datetime:
    """The database's time."""
    with read(engine) as connection:
        return datetime.fromtimestamp(database_now(connection), UTC)


def erased_before(engine: Engine, store: ArtifactStore, days: int = 0) -> tuple[str, ErasureLog]:
    """A subject as a backup brings it back, with its objects, whose erasure so many days ago the log tells of."""
    subject_id, log = subject_with_objects(engine, store), ErasureLog(store)
    log.write("acme", subject_id, Trigger.EXPIRY, (now(engine) - timedelta(days=days)).timestamp())
    return subject_id, log
