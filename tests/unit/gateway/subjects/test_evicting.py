"""Generators are told to forget the adapters of who is erased, and hold no erasure up."""

from __future__ import annotations

import asyncio
import json
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from obstore.store import MemoryStore
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.artifacts import ArtifactStore
from headshots.errors import UnavailableError
from headshots.stores import tombstones
from services.gateway.erasures import recording
from services.gateway.erasures.log import ErasureLog
from services.gateway.erasures.models import Unfinished
from services.gateway.erasures.rows import open_erasures
from services.gateway.erasures.tombstones import adapters_of, today
from services.gateway.peers.evictions import Eviction
from services.gateway.subjects import erasure
from services.gateway.subjects.eraser import Eraser
from tests.support.gateway.erasing import FailingStore, NoGenerator, rows, subject_with_objects
from tests.support.gateway.receipts import issuer
from tests.support.waiting import PATIENCE_SECONDS, until

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


def test_of_an_erasure_that_began_long_ago_only_days_with_tombstones_are_listed() -> None:
    listed: list[str] = []

    class Noting(ArtifactStore):
        def list_sync(self, prefix: str) -> list[str]:
            listed.append(prefix)
            return []

    now = time.time()
    unfinished = Unfinished("acme", "s", erased_at=now, begun_at=now - 4000 * 86400)
    assert adapters_of(Noting(MemoryStore()), [unfinished]) == {"s": set()}
    assert len(listed) == tombstones.KEPT.days + 1


def test_tombstones_are_found_of_an_erasure_that_a_clock_that_was_ahead_began() -> None:
    store, now = ArtifactStore(MemoryStore()), time.time()
    store.put_sync(tombstones.tombstone_key(today(), "a" * 64, "s"), b"")
    unfinished = Unfinished("acme", "s", erased_at=now, begun_at=now + 40 * 86400)
    assert adapters_of(store, [unfinished]) == {"s": {"a" * 64}}
