"""What a backup brought back is found wholly: by a replay of all, and by the gateways' daily look."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.artifacts import ArtifactStore
from headshots.database import read
from headshots.errors import NotFoundError, UnavailableError
from services.gateway.erasures.issuing import Issuer
from services.gateway.erasures.log import FOLDER, ErasureLog
from services.gateway.erasures.marks import set_mark
from services.gateway.erasures.models import Trigger
from services.gateway.subjects.eraser import Eraser
from services.gateway.subjects.replaying import Replayed, Replaying, replay
from services.gateway.subjects.rows import get_subject
from tests.support.gateway.erasing import (
    FailingStore,
    NoGenerator,
    erased_before,
    insert_job,
    job_ids,
    now,
    rows,
    subject_with_objects,
)
from tests.support.gateway.receipts import issuer


async def signed_and_lost(engine: Engine, store: ArtifactStore, signer: Issuer) -> ErasureLog:
    """A log with the receipt of somebody of whom the database knows nothing."""
    eraser = Eraser(engine, store, NoGenerator(), signer, sweep_seconds=0.0)
    await eraser.delete("acme", subject_with_objects(engine, store))
    await eraser.sweep()
    with engine.begin() as connection:
        for table in (schema.erasures, schema.erasure_chains, schema.erasure_keys, schema.audit_events):
            connection.execute(sa.delete(table))
    return ErasureLog(store)


def receipt_numbers(engine: Engine) -> list[int]:
    with read(engine) as connection:
        return list(connection.execute(sa.select(schema.erasures.c.number)).scalars())


async def test_receipts_come_back_before_anybody_is_served_though_the_database_lacks_the_key(engine: Engine) -> None:
    store, signer = FailingStore(0), issuer()
    log = await signed_and_lost(engine, store, signer)
    await Replaying(engine, store, log, signer).read_first()
    assert receipt_numbers(engine) == [1]


async def test_a_gateway_holds_all_copies_against_the_database_once_a_day(engine: Engine) -> None:
    store, signer = FailingStore(0), issuer()
    log = await signed_and_lost(engine, store, signer)
    replaying = Replaying(engine, store, log, signer)
    with engine.begin() as connection:
        connection.execute(
            sa.insert(schema.erasure_chains).values(tenant_id="acme", head_number=1, head_sha256="0" * 64)
        )
    await replaying.read()
    assert receipt_numbers(engine) == [], "its number is not above the head"
    for _ in range(2):
        await replaying.look_through()
        assert receipt_numbers(engine) == [1]


async def test_a_replay_of_all_brings_receipts_back_by_keys_that_the_database_knows(engine: Engine) -> None:
    store, signer = FailingStore(0), issuer()
    log = await signed_and_lost(engine, store, signer)
    assert replay(engine, store, log) == Replayed()
    signer.publish_key(engine)
    assert [replay(engine, store, log) for _ in range(2)] == [Replayed(receipts=1), Replayed()]


def test_a_replay_of_all_reads_what_is_older_than_the_mark(engine: Engine) -> None:
    store = FailingStore(0)
    _, log = erased_before(engine, store, days=300)
    set_mark(engine, now(engine).date())
    assert replay(engine, store, log) == Replayed(subjects=1, objects=3, folders=0)
    assert replay(engine, store, log) == Replayed()


def test_a_replay_that_was_interrupted_is_finished_by_the_next(engine: Engine) -> None:
    store = FailingStore(1)
    _, log = erased_before(engine, store)
    with pytest.raises(UnavailableError):
        replay(engine, store, log)
    assert replay(engine, store, log) == Replayed(subjects=1, objects=2, folders=0)
    assert store.list_sync("tenants") == []


def test_a_replay_hides_everybody_before_it_erases_anybody(engine: Engine) -> None:
    store = FailingStore(1)
    (first, log), (second, _) = (erased_before(engine, store) for _ in range(2))
    with pytest.raises(UnavailableError):
        replay(engine, store, log)
    for each in (first, second):
        with pytest.raises(NotFoundError):
            get_subject(engine, "acme", each)


def test_objects_of_an_erased_subject_without_a_row_are_removed_and_others_stay(engine: Engine) -> None:
    """The object store alone was restored."""
    store, log = FailingStore(0), ErasureLog(FailingStore(0))
    living = subject_with_objects(engine, store)
    log.write("acme", "ada", Trigger.REQUEST, now(engine).timestamp())
    for subject_id in ("ada", "unknown"):
        store.put_sync(f"tenants/acme/subjects/{subject_id}/photos/a.png", b"x")
    store.put_sync("foundations/f/class/a.png", b"x")
    assert replay(engine, store, log) == Replayed(subjects=0, objects=1, folders=1)
    assert {key.split("/")[3] for key in store.list_sync("tenants")} == {living, "unknown"}
    assert store.exists_sync("foundations/f/class/a.png")


async def test_a_gateway_looks_through_the_store_once_a_day(engine: Engine) -> None:
    """For what a generator that was frozen has stored when its subject's row was gone, say."""
    store, log = FailingStore(0), ErasureLog(FailingStore(0))
    subject_with_objects(engine, store)
    log.write("acme", "ada", Trigger.REQUEST, now(engine).timestamp())
    replaying = Replaying(engine, store, log, issuer())
    for left in (0, 1):
        store.put_sync("tenants/acme/subjects/ada/images/late.png", b"x")
        await replaying.look_through()
        assert len(store.list_sync("tenants/acme/subjects/ada")) == left
    await Replaying(engine, store, log, issuer()).look_through()
    assert len(store.list_sync("tenants")) == 3


async def test_a_trainers_job_that_was_queued_after_the_erasure_of_its_training_goes(engine: Engine) -> None:
    """Its row names photos by their digests."""
    store = FailingStore(0)
    living = subject_with_objects(engine, store)
    insert_job(engine, living, "kept")
    lost = {"tenant": "acme", "state": "failed", "request": {}}
    with engine.begin() as connection:
        connection.execute(sa.insert(schema.training_jobs).values(id="lost", created_at=0.0, **lost))
        sent_just_now = {"id": "new", "created_at": now(engine).timestamp()}
        connection.execute(sa.insert(schema.training_jobs).values(**sent_just_now, **lost))
    await Replaying(engine, store, ErasureLog(store), issuer()).look_through()
    assert sorted(job_ids(engine)) == ["kept", "new"]


async def test_objects_come_back_with_a_log_of_before_and_the_audit_log_knows(engine: Engine) -> None:
    store = FailingStore(0)
    subject_id = subject_with_objects(engine, store)
    await Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0).delete("acme", subject_id)
    await Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0).sweep()
    assert rows(engine) == []
    store.delete_prefix_sync(FOLDER)
    store.put_sync(f"tenants/acme/subjects/{subject_id}/photos/a.png", b"x")
    assert replay(engine, store, ErasureLog(store)) == Replayed(subjects=0, objects=1, folders=1)
    assert store.list_sync("tenants") == []
