"""A subject is erased even where the object store fails half-way."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from obstore.store import MemoryStore
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.artifacts import ArtifactStore
from headshots.database import open_database
from headshots.errors import FailedPreconditionError, NotFoundError, UnavailableError
from headshots.stores import tombstones
from services.gateway.api.requests import IdempotencyKey
from services.gateway.erasures import recording
from services.gateway.erasures.log import FOLDER, ErasureLog, subject_hash
from services.gateway.erasures.models import Trigger
from services.gateway.erasures.rows import open_erasures, open_erasures_query
from services.gateway.erasures.tombstones import today
from services.gateway.peers.evictions import Eviction
from services.gateway.peers.models import GenerationEvent, GenerationRequest, GeneratorDescription
from services.gateway.subjects import erasure
from services.gateway.subjects.eraser import Eraser
from services.gateway.subjects.rows import create_subject, get_subject, give_consent, hold_subject
from tests.support.consents import GIVEN
from tests.support.deploy.tables import make_tables
from tests.support.gateway.receipts import issuer
from tests.support.waiting import PATIENCE_SECONDS, until


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


class FrozenGenerator(NoGenerator):
    """Is asked to evict, and never answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.given_up: list[str] = []

    async def evict(self, adapter_sha256: str) -> Eviction:
        self.asked.append(adapter_sha256)
        try:
            await asyncio.Event().wait()
            raise AssertionError("nobody thaws it")
        finally:
            self.given_up.append(adapter_sha256)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    make_tables(engine)
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
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=60.0)
    with pytest.raises(UnavailableError):
        await eraser.delete("acme", subject)
    with pytest.raises(NotFoundError):
        get_subject(engine, "acme", subject)
    with pytest.raises(NotFoundError):
        await eraser.delete("globex", subject)
    assert (await eraser.delete("acme", subject)).deleted_objects == 2
    assert store.list_sync("tenants") == []
    with pytest.raises(NotFoundError):
        await eraser.delete("acme", subject)


async def test_sweeps_finish_what_the_store_refused_and_remove_the_row(engine: Engine) -> None:
    store = FailingStore(2)
    first, second = subject_with_objects(engine, store), subject_with_objects(engine, store)
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0)
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
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=3600.0)
    assert (await eraser.delete("acme", subject)).deleted_objects == 3
    store.put_sync(f"tenants/acme/subjects/{subject}/images/late.png", b"x")
    await eraser.sweep()
    assert len(rows(engine)) == len(store.list_sync("tenants")) == 1
    await Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0).sweep()
    assert rows(engine) == store.list_sync("tenants") == []


async def test_what_an_older_gateway_left_of_an_erased_subject_goes_with_its_row(engine: Engine) -> None:
    """One that has erased it while newer gateways began to run, and knew neither consents nor times."""
    store = FailingStore(0)
    subject = subject_with_objects(engine, store)
    give_consent(engine, "acme", subject, GIVEN)
    erasure.mark_deleted(engine, "acme", subject)
    with engine.begin() as connection:
        connection.execute(sa.update(schema.subjects).values(erased_at=0.0))
    await Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0).sweep()
    with engine.connect() as connection:
        left = [connection.execute(sa.select(table)).all() for table in (schema.consents, schema.retentions)]
    assert (left, rows(engine)) == ([[], []], [])


async def test_a_subject_whose_erasure_meets_a_defect_holds_up_no_other(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FailingStore(0)
    hidden = [subject_with_objects(engine, store) for _ in range(3)]
    for each in hidden:
        erasure.mark_deleted(engine, "acme", each)
    remove, broken = store.delete_prefix_sync, hidden[0]

    def defect(prefix: str, before: Callable[[Mapping[str, int]], None]) -> int:
        if broken in prefix:
            raise RuntimeError("a defect")
        return remove(prefix, before)

    monkeypatch.setattr(store, "delete_prefix_sync", defect)
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0)
    await eraser.sweep()
    await eraser.sweep()
    assert rows(engine) == [(broken, None)]


def test_sweeps_read_only_subjects_that_are_being_erased(engine: Engine) -> None:
    with engine.connect() as connection:
        statement = open_erasures_query(connection, grace_seconds=30.0).compile(
            connection, compile_kwargs={"literal_binds": True}
        )
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    assert ["ix_subjects_deleting" in row.detail for row in plan] == [True], plan


ADAPTER = "ab" * 32


def insert_adapter(engine: Engine, subject: str) -> None:
    """A training that has made an adapter."""
    job = {"adapter": {"sha256": ADAPTER}}
    with engine.begin() as connection:
        connection.execute(
            sa.insert(schema.trainings).values(
                id=f"of-{subject}",
                subject_id=subject,
                tenant_id="acme",
                state="succeeded",
                request={},
                job=job,
                created_at=0.0,
            )
        )


async def test_a_tombstone_is_left_before_anything_is_removed(engine: Engine) -> None:
    store = FailingStore(1)
    subject = subject_with_objects(engine, store)
    insert_adapter(engine, subject)
    eraser = Eraser(engine, store, FrozenGenerator(), issuer(), sweep_seconds=60.0)
    with pytest.raises(UnavailableError):
        await eraser.delete("acme", subject)
    left = store.list_sync(tombstones.FOLDER)
    assert [read.sha256 for key in left if (read := tombstones.read_key(key))] == [ADAPTER]
    await eraser.delete("acme", subject)
    assert store.list_sync(tombstones.FOLDER) == left, "a repeated erasure leaves no second one"
    assert store.list_sync("tenants") == []
    assert not [key for key in left if subject in key or "acme" in key]


async def test_nothing_is_removed_while_no_tombstone_can_be_left(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FailingStore(0)
    subject = subject_with_objects(engine, store)
    insert_adapter(engine, subject)

    def full(key: str, data: bytes) -> None:
        raise UnavailableError("OBJECT_STORE_FULL", "no room")

    monkeypatch.setattr(store, "put_sync", full)
    with pytest.raises(UnavailableError):
        await Eraser(engine, store, FrozenGenerator(), issuer(), sweep_seconds=60.0).delete("acme", subject)
    assert len(store.list_sync("tenants")) == 3


async def test_an_erasure_does_not_wait_for_a_frozen_generator(engine: Engine) -> None:
    store, generator = FailingStore(0), FrozenGenerator()
    subject = subject_with_objects(engine, store)
    insert_adapter(engine, subject)
    eraser = Eraser(engine, store, generator, issuer(), sweep_seconds=3600.0)
    running = asyncio.create_task(eraser.run())
    assert (await eraser.delete("acme", subject)).deleted_objects == 3
    await until(lambda: generator.asked == [ADAPTER])
    assert generator.given_up == [], "it is still being called"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await until(lambda: generator.given_up == [ADAPTER])


class Answering(NoGenerator):
    """Two generators, one of which is away."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def evict(self, adapter_sha256: str) -> Eviction:
        self.asked.append(adapter_sha256)
        return Eviction(frozenset({"here"}), frozenset({"away"}))


async def test_before_an_erasure_completes_it_is_told_which_generators_confirmed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whichever gateway completes it: they are asked again."""
    store, generator, told = FailingStore(0), Answering(), list[object]()
    subject, other = subject_with_objects(engine, store), subject_with_objects(engine, store)
    insert_adapter(engine, subject)
    for each in (subject, other):
        await Eraser(engine, store, FrozenGenerator(), issuer(), sweep_seconds=0.0).delete("acme", each)

    def note(_: object, subject_id: str, confirmed: list[str], silent: list[str]) -> None:
        assert subject_id in [row.id for row in rows(engine)], "its row is there still"
        told.append((subject_id, confirmed, silent))

    monkeypatch.setattr(recording, "note_replicas", note)
    await Eraser(engine, store, generator, issuer(), sweep_seconds=0.0).sweep()
    assert sorted(told, key=str) == sorted([(subject, ["here"], ["away"]), (other, [], [])], key=str)
    assert generator.asked == [ADAPTER]
    assert rows(engine) == []


@pytest.mark.parametrize("told", ["when it began", "by an older gateway", "a backup has it", "nothing"])
async def test_generators_are_asked_though_the_tombstones_are_older_than_the_end_of_an_erasure(
    engine: Engine, told: str
) -> None:
    """It crashed when the rows were gone, and is finished days later."""
    store, generator = FailingStore(0), Answering()
    subject = subject_with_objects(engine, store)
    erasure.mark_deleted(engine, "acme", subject)
    store.put_sync(tombstones.tombstone_key(today() - timedelta(days=5), ADAPTER, subject), b"")
    if told == "nothing":
        changed: sa.Update | sa.Delete = sa.delete(schema.erasures)
    elif told == "when it began":
        changed = sa.update(schema.erasures).values(created_at=schema.erasures.c.created_at - 5 * 86400)
    else:
        changed = sa.update(schema.erasures).values(trigger="REPLAY" if told == "a backup has it" else "UNKNOWN")
    with engine.begin() as connection:
        connection.execute(changed)
    eraser = Eraser(engine, store, generator, issuer(), sweep_seconds=0.0)
    await eraser.sweep()
    await eraser.sweep()
    assert (generator.asked, rows(engine)) == ([ADAPTER], [])


async def test_of_an_erasure_that_did_not_crash_only_its_days_are_listed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FailingStore(0)
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0)
    await eraser.delete("acme", subject_with_objects(engine, store))
    listed, listing = list[str](), store.list_sync

    def noting(prefix: str) -> list[str]:
        listed.append(prefix)
        return listing(prefix)

    monkeypatch.setattr(store, "list_sync", noting)
    await eraser.sweep()
    assert rows(engine) == []
    assert 3 <= len([prefix for prefix in listed if prefix.startswith(f"{tombstones.FOLDER}/")]) <= 4


class Unresolved(NoGenerator):
    """The generators' name does not resolve."""

    async def evict(self, adapter_sha256: str) -> Eviction:
        raise UnavailableError("GENERATOR_UNREACHABLE", "no generator can be found")


async def test_a_receipt_tells_that_nobody_could_be_asked(engine: Engine) -> None:
    """Or it would read as if there were no generator."""
    store = FailingStore(0)
    subject = subject_with_objects(engine, store)
    insert_adapter(engine, subject)
    await Eraser(engine, store, Unresolved(), issuer(), sweep_seconds=0.0).delete("acme", subject)
    await Eraser(engine, store, Unresolved(), issuer(), sweep_seconds=0.0).sweep()
    with engine.connect() as connection:
        receipt = connection.execute(sa.select(schema.erasures.c.receipt)).scalar_one()
    assert json.loads(receipt)["replicas"] == {"confirmed": [], "silent": ["unresolved"]}


async def test_an_erasure_does_not_complete_before_its_replicas_were_noted(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FailingStore(0)
    await Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0).delete(
        "acme", subject_with_objects(engine, store)
    )

    def away(*_: object) -> None:
        raise UnavailableError("DATABASE_UNAVAILABLE", "somebody writes")

    monkeypatch.setattr(recording, "note_replicas", away)
    await Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0).sweep()
    assert len(rows(engine)) == 1


async def test_a_gateway_that_starts_waits_for_no_generator(engine: Engine) -> None:
    store, generator = FailingStore(0), FrozenGenerator()
    subject = subject_with_objects(engine, store)
    insert_adapter(engine, subject)
    eraser = Eraser(engine, store, generator, issuer(), sweep_seconds=0.0)
    await eraser.delete("acme", subject)
    await until(lambda: generator.asked == [ADAPTER])
    async with asyncio.timeout(PATIENCE_SECONDS):
        await eraser.sweep(completing=False)
    assert len(rows(engine)) == 1, "that is left to the next sweep"


async def test_nor_for_one_whose_erasure_an_older_gateway_has_ended(engine: Engine) -> None:
    store, generator = FailingStore(0), FrozenGenerator()
    subject = subject_with_objects(engine, store)
    insert_adapter(engine, subject)
    erasure.mark_deleted(engine, "acme", subject)
    erasure.erase(engine, store, ErasureLog(store), "acme", subject)
    with engine.begin() as connection:
        connection.execute(sa.delete(schema.subjects))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await Eraser(engine, store, generator, issuer(), sweep_seconds=0.0).sweep(completing=False)
        await Eraser(engine, store, generator, issuer(), sweep_seconds=3600.0).sweep()
    assert generator.asked == []
    assert [each.subject_id for each in open_erasures(engine, grace_seconds=0)] == [subject]


def log_of(store: ArtifactStore) -> list[tuple[str, str]]:
    """Hash and trigger of each entry of the log of erasures."""
    entries = [json.loads(store.get_sync(key)) for key in store.list_sync(FOLDER)]
    return [(entry["subject"], entry["trigger"]) for entry in entries]


async def test_an_entry_is_left_before_anything_is_removed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FailingStore(0)
    subject = subject_with_objects(engine, store)
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0, log=FailingLog(store, 1))
    with pytest.raises(UnavailableError):
        await eraser.delete("acme", subject)
    assert len(store.list_sync("tenants")) == 3
    assert log_of(store) == []
    store.failures = 1
    await eraser.sweep()
    assert [each for each, _ in log_of(store)] == [subject_hash("acme", subject)]
    assert len(store.list_sync("tenants")) == 2, "the store refused after the first object"


class FailingLog(ErasureLog):
    """Refuses the first `failures` entries."""

    def __init__(self, store: ArtifactStore, failures: int) -> None:
        super().__init__(store)
        self.failures = failures

    def write(self, tenant_id: str, subject_id: str, trigger: Trigger, at: float) -> None:
        if self.failures:
            self.failures -= 1
            raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "the bucket is away")
        super().write(tenant_id, subject_id, trigger, at)


async def test_no_entry_is_left_of_a_subject_whose_deletion_was_refused(engine: Engine) -> None:
    """Or the next start of a gateway would erase it."""
    store = FailingStore(0)
    subject = subject_with_objects(engine, store)
    hold_subject(engine, "acme", subject, "a dispute")
    with pytest.raises(FailedPreconditionError):
        await Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0).delete("acme", subject)
    assert log_of(store) == []


async def test_an_entry_is_left_of_a_withdrawal_whose_jobs_have_to_end_first(engine: Engine) -> None:
    store = FailingStore(0)
    subject = subject_with_objects(engine, store)
    give_consent(engine, "acme", subject, GIVEN)
    # A trainer has still to be told that it was cancelled.
    insert_job(engine, subject, "job")
    with engine.begin() as connection:
        connection.execute(sa.update(schema.trainings).values(owes_cancel=True))
    hidden = erasure.withdraw(engine, "acme", subject)
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0)
    assert not (await eraser.delete_if_idle(hidden)).erased
    assert log_of(store) == [(subject_hash("acme", subject), "CONSENT_WITHDRAWN")]
    assert len(store.list_sync("tenants")) == 3


async def test_a_sweep_leaves_the_entry_that_a_withdrawal_could_not(engine: Engine) -> None:
    store = FailingStore(0)
    subject = subject_with_objects(engine, store)
    give_consent(engine, "acme", subject, GIVEN)
    insert_job(engine, subject, "job")
    with engine.begin() as connection:
        connection.execute(sa.update(schema.trainings).values(owes_cancel=True))
    hidden = erasure.withdraw(engine, "acme", subject)
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0, log=FailingLog(store, 1))
    with pytest.raises(UnavailableError):
        await eraser.delete_if_idle(hidden)
    await eraser.sweep()
    assert (len(log_of(store)), len(store.list_sync("tenants"))) == (1, 3)


async def test_a_withdrawal_that_a_sweep_has_erased_already_is_answered_as_erased(engine: Engine) -> None:
    store = FailingStore(0)
    subject = subject_with_objects(engine, store)
    give_consent(engine, "acme", subject, GIVEN)
    hidden = erasure.withdraw(engine, "acme", subject)
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=3600.0)
    await eraser.sweep()
    assert (await eraser.delete_if_idle(hidden)).erased


class Clocked(ArtifactStore):
    """Refuses all deletions until `until` by a clock of the test."""

    def __init__(self, until: float) -> None:
        super().__init__(MemoryStore())
        self.now, self.until, self.refused = 0.0, until, 0

    def delete_sync(self, key: str) -> None:
        if self.now < self.until:
            self.refused += 1
            raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "the bucket is read-only")
        super().delete_sync(key)


async def test_a_store_that_refuses_deletions_for_ten_minutes_delays_erasures_and_loses_none(engine: Engine) -> None:
    store = Clocked(until=600.0)
    erased, kept = [subject_with_objects(engine, store) for _ in range(3)], subject_with_objects(engine, store)
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0)
    for subject in erased:
        with pytest.raises(UnavailableError):
            await eraser.delete("acme", subject)
        with pytest.raises(NotFoundError):
            get_subject(engine, "acme", subject)
    while store.now < store.until:
        await eraser.sweep()
        assert len(store.list_sync("tenants")) == 12
        assert len(rows(engine)) == 4
        store.now += 30.0
    assert store.refused == 3 * 21, "each sweep has tried each of them"
    await eraser.sweep()
    await eraser.sweep()
    assert [row.id for row in rows(engine)] == [kept]
    assert {key.split("/")[3] for key in store.list_sync("tenants")} == {kept}
    assert {each for each, _ in log_of(store)} == {subject_hash("acme", each) for each in erased}


async def test_sweeps_remove_staged_files_and_old_tombstones(engine: Engine, tmp_path: Path) -> None:
    store = ArtifactStore.open((tmp_path / "objects").as_uri())
    now = today()
    old, kept = now - tombstones.KEPT - timedelta(days=1), now - tombstones.KEPT
    for day in (old, kept, now):
        store.put_sync(tombstones.tombstone_key(day, ADAPTER, "s"), b"")
    for name in ("a.png#1", "b.png#1"):
        (tmp_path / "objects" / name).write_bytes(b"half a photo")
    os.utime(tmp_path / "objects" / "a.png#1", (0, 0))
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=60.0)
    await eraser.sweep()
    assert [path.name for path in (tmp_path / "objects").glob("*#1")] == ["b.png#1"]
    assert [key.split("/")[2] for key in store.list_sync("")] == [kept.isoformat(), now.isoformat()]
    os.utime(tmp_path / "objects" / "b.png#1", (0, 0))
    await eraser.sweep()
    assert (tmp_path / "objects" / "b.png#1").exists(), "not with every sweep: all files are looked at"


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
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=60.0)
    with pytest.raises(UnavailableError):
        await eraser.delete("acme", subject)
    assert job_ids(engine) == ["job0", "job1", "job2"], "the rows stay while objects are left"
    await eraser.delete("acme", subject)
    assert job_ids(engine) == ["job1"]


def files_with(word: bytes, folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if word in path.read_bytes()]


async def test_no_file_of_the_database_holds_an_erased_name(engine: Engine, tmp_path: Path) -> None:
    store = FailingStore(0)
    keys.create_tenant(engine, "acme")
    subject = create_subject(engine, "acme", display_name="Ada Lovelace", class_noun="", key=IdempotencyKey())

    assert files_with(b"Lovelace", tmp_path) == ["headshots.db-wal"]
    await Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0).delete("acme", subject.id)
    assert files_with(b"Lovelace", tmp_path) == []


async def test_a_subject_is_not_erased_while_the_databases_log_still_tells_of_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FailingStore(0)
    subject_id = subject_with_objects(engine, store)
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0)

    def busy(_: Engine) -> None:
        raise UnavailableError("DATABASE_UNAVAILABLE", "somebody reads")

    with monkeypatch.context() as patch:
        patch.setattr("services.gateway.subjects.erasure.forget_deleted", busy)
        with pytest.raises(UnavailableError):
            await eraser.delete("acme", subject_id)
        assert [each.is_erased for each in open_erasures(engine, grace_seconds=0)] == [False]
    await eraser.sweep()
    assert [each.is_erased for each in open_erasures(engine, grace_seconds=0)] == [True]


async def test_a_sweep_forgets_what_a_crash_left_in_the_databases_log(engine: Engine, tmp_path: Path) -> None:
    """A photo's deletion, say, that was committed and whose gateway ended before it had cut off the log."""
    keys.create_tenant(engine, "acme")
    create_subject(engine, "acme", display_name="Ada Lovelace", class_noun="", key=IdempotencyKey())
    with engine.begin() as connection:
        connection.execute(sa.delete(schema.retentions))
        connection.execute(sa.delete(schema.subjects))
    assert files_with(b"Lovelace", tmp_path), "or this test shows nothing"
    await Eraser(engine, FailingStore(0), NoGenerator(), issuer(), sweep_seconds=60.0).sweep()
    assert files_with(b"Lovelace", tmp_path) == []
