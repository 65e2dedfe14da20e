"""A subject is erased even where the object store fails half-way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from obstore.store import MemoryStore
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.artifacts import ArtifactStore
from headshots.database import migrate, open_database
from headshots.errors import NotFoundError, UnavailableError
from services.gateway.api.requests import IdempotencyKey
from services.gateway.peers.models import GenerationEvent, GenerationRequest, GeneratorDescription
from services.gateway.subjects.eraser import Eraser
from services.gateway.subjects.erasure import open_erasures, open_erasures_query
from services.gateway.subjects.rows import create_subject, get_subject


class FailingStore(ArtifactStore):
    """Deletes one object and fails, in the first `failures` deletions."""

    def __init__(self, failures: int) -> None:
        super().__init__(MemoryStore())
        self.failures = failures

    def delete_prefix_sync(self, prefix: str) -> int:
        if self.failures:
            self.failures -= 1
            self.delete_sync(self.list_sync(prefix)[0])
            raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "the bucket is away")
        return super().delete_prefix_sync(prefix)


class NoGenerator:
    """There is no adapter to evict here."""

    def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        raise AssertionError("nothing is painted here")

    async def describe(self) -> GeneratorDescription:
        raise AssertionError("nothing is painted here")

    async def evict(self, adapter_sha256: str) -> None:
        raise AssertionError("no subject here has an adapter")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    migrate(engine)
    yield engine
    engine.dispose()


def subject_with_objects(engine: Engine, store: ArtifactStore) -> str:
    keys.create_tenant(engine, "acme")
    subject = create_subject(engine, "acme", display_name="Ada", class_noun="", key=IdempotencyKey()).id
    for name in ("a", "b", "c"):
        store.put_sync(f"tenants/acme/subjects/{subject}/photos/{name}.png", b"x")
    return subject


def rows(engine: Engine) -> list[sa.Row[tuple[str, float | None]]]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(schema.subjects.c.id, schema.subjects.c.erased_at)))


async def test_a_deletion_that_the_store_refused_can_be_repeated(engine: Engine) -> None:
    store = FailingStore(1)
    subject = subject_with_objects(engine, store)
    eraser = Eraser(engine, store, NoGenerator(), sweep_seconds=60.0)
    with pytest.raises(UnavailableError):
        await eraser.delete("acme", subject)
    with pytest.raises(NotFoundError):
        get_subject(engine, "acme", subject)
    with pytest.raises(NotFoundError):
        await eraser.delete("globex", subject)
    assert await eraser.delete("acme", subject) == 2
    assert store.list_sync("tenants") == []
    with pytest.raises(NotFoundError):
        await eraser.delete("acme", subject)


async def test_sweeps_finish_what_the_store_refused_and_remove_the_row(engine: Engine) -> None:
    store = FailingStore(2)
    first, second = subject_with_objects(engine, store), subject_with_objects(engine, store)
    eraser = Eraser(engine, store, NoGenerator(), sweep_seconds=0.0)
    with pytest.raises(UnavailableError):
        await eraser.delete("acme", first)
    await eraser.sweep()
    assert store.failures == 0
    await eraser.sweep()
    await eraser.sweep()
    assert rows(engine) == [(second, None)]
    assert [key.split("/")[3] for key in store.list_sync("tenants")] == [second] * 3


async def test_the_row_stays_for_a_last_look_until_the_grace_period_is_over(engine: Engine) -> None:
    store = FailingStore(0)
    subject = subject_with_objects(engine, store)
    eraser = Eraser(engine, store, NoGenerator(), sweep_seconds=3600.0)
    assert await eraser.delete("acme", subject) == 3
    store.put_sync(f"tenants/acme/subjects/{subject}/images/late.png", b"x")
    await eraser.sweep()
    assert len(rows(engine)) == len(store.list_sync("tenants")) == 1
    await Eraser(engine, store, NoGenerator(), sweep_seconds=0.0).sweep()
    assert rows(engine) == store.list_sync("tenants") == []


def test_sweeps_read_only_subjects_that_are_being_erased(engine: Engine) -> None:
    with engine.connect() as connection:
        statement = open_erasures_query(connection, grace_seconds=30.0).compile(
            connection, compile_kwargs={"literal_binds": True}
        )
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    assert ["ix_subjects_deleting" in row.detail for row in plan] == [True], plan


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
    with engine.connect() as connection:
        return list(connection.execute(sa.select(schema.training_jobs.c.id)).scalars())


async def test_the_trainers_rows_go_with_the_subject_and_others_stay(engine: Engine) -> None:
    store = FailingStore(1)
    subject, other = subject_with_objects(engine, store), subject_with_objects(engine, store)
    for number, whose in enumerate((subject, other, subject)):
        insert_job(engine, whose, f"job{number}")
    eraser = Eraser(engine, store, NoGenerator(), sweep_seconds=60.0)
    with pytest.raises(UnavailableError):
        await eraser.delete("acme", subject)
    assert job_ids(engine) == ["job0", "job1", "job2"], "the rows stay while objects are left"
    await eraser.delete("acme", subject)
    assert job_ids(engine) == ["job1"]


async def test_no_file_of_the_database_holds_an_erased_name(engine: Engine, tmp_path: Path) -> None:
    store = FailingStore(0)
    keys.create_tenant(engine, "acme")
    subject = create_subject(engine, "acme", display_name="Ada Lovelace", class_noun="", key=IdempotencyKey())

    def told() -> list[str]:
        return [path.name for path in tmp_path.iterdir() if b"Lovelace" in path.read_bytes()]

    assert told() == ["headshots.db-wal"]
    await Eraser(engine, store, NoGenerator(), sweep_seconds=0).delete("acme", subject.id)
    assert told() == []


async def test_a_subject_is_not_erased_while_the_databases_log_still_tells_of_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FailingStore(0)
    subject_id = subject_with_objects(engine, store)
    eraser = Eraser(engine, store, NoGenerator(), sweep_seconds=0)

    def busy(_: Engine) -> None:
        raise UnavailableError("DATABASE_UNAVAILABLE", "somebody reads")

    with monkeypatch.context() as patch:
        patch.setattr("services.gateway.subjects.erasure.forget_deleted", busy)
        with pytest.raises(UnavailableError):
            await eraser.delete("acme", subject_id)
        assert [erasure.is_erased for erasure in open_erasures(engine, grace_seconds=0)] == [False]
    await eraser.sweep()
    assert [erasure.is_erased for erasure in open_erasures(engine, grace_seconds=0)] == [True]
