"""Exactly one receipt an erasure, which counts everything once, whatever is killed when, on any number of gateways."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from obstore.store import MemoryStore
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.artifacts import ArtifactStore
from headshots.database import open_database, write
from headshots.errors import FailedPreconditionError, HeadshotsError, UnavailableError
from headshots.receipts import absence
from headshots.receipts.canonical import canonical
from headshots.receipts.merkle import commitment, root
from headshots.receipts.signing import ReceiptKey
from headshots.receipts.verifying import read_public_keys, verify
from services.gateway.api.requests import IdempotencyKey
from services.gateway.erasures import issuing, recording
from services.gateway.erasures.commitments import commit
from services.gateway.erasures.issuing import Issuer
from services.gateway.erasures.log import ErasureLog
from services.gateway.erasures.models import StoreClass
from services.gateway.marks.rows import record_mark
from services.gateway.subjects import erasure
from services.gateway.subjects.rows import create_subject
from services.gateway.tenants.ownership import lock_subject
from tests.support.deploy.tables import make_tables
from tests.support.gateway.receipts import issuer

PHOTOS = 3


class Killed(BaseException):
    """What a kill looks like from within: no handler runs."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    make_tables(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def store() -> ArtifactStore:
    return ArtifactStore(MemoryStore())


def subject_with_photos(engine: Engine, store: ArtifactStore) -> str:
    """A subject with photos, and a stray object of five bytes."""
    keys.create_tenant(engine, "acme")
    subject = create_subject(engine, "acme", display_name="", class_noun="", key=IdempotencyKey()).id
    prefix = f"tenants/acme/subjects/{subject}"
    with write(engine) as connection:
        for number in range(PHOTOS):
            data, key = bytes([number]) * 10, f"{prefix}/photos/{number}.png"
            store.put_sync(key, data)
            commit(connection, subject, StoreClass.PHOTOS, key, hashlib.sha256(data).hexdigest(), len(data))
    store.put_sync(f"{prefix}/adapters/checkpoint", b"stray")
    return subject


def run(engine: Engine, store: ArtifactStore, signer: Issuer, subject: str) -> None:
    """A whole erasure, as one that was interrupted is repeated."""
    # Read once: another gateway of a test may be about to remove it.
    if (row := _row(engine, subject)) is None:
        return
    if row.erased_at is None:
        erasure.mark_deleted(engine, "acme", subject)
        erasure.erase(engine, store, ErasureLog(store), "acme", subject)
    erasure.complete(engine, store, signer, "acme", subject)


def _row(engine: Engine, subject: str) -> Any:
    with engine.connect() as connection:
        return connection.execute(sa.select(schema.subjects).where(schema.subjects.c.id == subject)).first()


def receipts(engine: Engine) -> list[dict[str, Any]]:
    """Those that are signed, in their order."""
    with engine.connect() as connection:
        signed = schema.erasures.c.receipt.is_not(None)
        query = sa.select(schema.erasures.c.receipt).where(signed).order_by(schema.erasures.c.number)
        return [json.loads(each) for each in connection.execute(query).scalars()]


def assert_counted_once(receipt: dict[str, Any], strays: int = 1) -> None:
    (photos,) = receipt["classes"]
    assert (photos["class"], photos["count"], photos["bytes"]) == ("photos", PHOTOS, PHOTOS * 10)
    assert sum(each["count"] for each in receipt["uncommitted"]) == strays
    assert receipt["exceptions"] == []


def test_commitments_are_of_what_was_stored(engine: Engine, store: ArtifactStore) -> None:
    subject = subject_with_photos(engine, store)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(schema.commitments)).all()
    assert len({row.salt for row in rows}) == PHOTOS + 1
    for row in rows:
        assert row.commitment == commitment(row.store_class, bytes.fromhex(row.salt), row.object_sha256)
        if row.store_class == "photos":
            assert hashlib.sha256(store.get_sync(row.object_key)).hexdigest() == row.object_sha256
    run(engine, store, issuer(), subject)
    (receipt,) = receipts(engine)
    assert receipt["classes"][0]["root"] == root(row.commitment for row in rows if row.store_class == "photos")
    assert receipt["subject"] in {row.commitment for row in rows if row.store_class == "subject"}
    with engine.connect() as connection:
        assert connection.execute(sa.select(schema.commitments)).all() == []


class Interrupting:
    """Counts the statements and the calls of the store, and kills at one of them, before or after it is done."""

    def __init__(self, engine: Engine, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.kill_at: int | None = None
        sa.event.listen(engine, "before_cursor_execute", lambda *_: self._step())
        sa.event.listen(engine, "commit", lambda *_: self._step())
        writing, reading = ("put_sync", "put_or_get_sync", "delete_sync"), ("get_sync", "list_sync", "list_after_sync")
        for name in (*writing, *reading):
            monkeypatch.setattr(store, name, self._around(getattr(store, name)))

    def _around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def around(*values: Any) -> Any:
            self._step()
            done = call(*values)
            self._step()
            return done

        return around

    def _step(self) -> None:
        self.calls += 1
        if self.calls == self.kill_at:
            raise Killed


def test_killed_at_every_step_it_has_one_receipt_that_counts_once(
    engine: Engine, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer, interrupting = issuer(), Interrupting(engine, store, monkeypatch)
    subject = subject_with_photos(engine, store)
    interrupting.calls = 0
    run(engine, store, signer, subject)
    steps = interrupting.calls
    assert steps > 50
    for step in range(1, steps + 1):
        subject = subject_with_photos(engine, store)
        interrupting.calls, interrupting.kill_at = 0, step
        try:
            run(engine, store, signer, subject)
        except Killed:
            interrupting.kill_at = None
            run(engine, store, signer, subject)
        interrupting.kill_at = None
        assert _row(engine, subject) is None
    made = receipts(engine)
    assert [each["number"] for each in made] == list(range(1, steps + 2))
    for each in made:
        assert_counted_once(each)
    with engine.connect() as connection:
        left = connection.execute(sa.select(schema.erasures).where(schema.erasures.c.subject_id.is_not(None))).all()
    assert left == []


def test_gateways_that_erase_the_same_subjects_at_once_leave_one_receipt_each(
    engine: Engine, store: ArtifactStore, tmp_path: Path
) -> None:
    key = ReceiptKey.open(tmp_path / "key.pem")
    hidden = [subject_with_photos(engine, store) for _ in range(6)]
    failures, ready = list[BaseException](), threading.Barrier(4)

    def gateway() -> None:
        signer = Issuer(key, backup_horizon_days=0)
        ready.wait()
        for subject in hidden:
            try:
                run(engine, store, signer, subject)
            except HeadshotsError:
                # Another was quicker; a sweep would come back to it.
                continue
            except BaseException as error:  # noqa: BLE001 - handed to the main thread
                failures.append(error)

    threads = [threading.Thread(target=gateway) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for subject in hidden:
        run(engine, store, Issuer(key, backup_horizon_days=0), subject)
    assert failures == []
    made = receipts(engine)
    assert [each["number"] for each in made] == list(range(1, len(hidden) + 1))
    assert len({each["subject"] for each in made}) == len(hidden)
    for each in made:
        assert_counted_once(each)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(schema.erasures)).all()
    assert verify({row.id: row.receipt.encode() for row in rows}, read_public_keys(key.public_pem.encode())).is_whole


def until_it_waits(running: Future[None]) -> None:
    """Long enough for it to come to a lock that the caller holds; a slower one shows less."""
    assert not wait([running], timeout=1.0).done


def test_of_two_subjects_that_are_signed_at_once_one_follows_the_other(engine: Engine, store: ArtifactStore) -> None:
    # The first of a chain would wait for whoever makes the chain.
    run(engine, store, issuer(), subject_with_photos(engine, store))
    first, second = (subject_with_photos(engine, store) for _ in range(2))
    for each in (first, second):
        erasure.mark_deleted(engine, "acme", each)
        erasure.erase(engine, store, ErasureLog(store), "acme", each)
    with ThreadPoolExecutor(1) as other:
        with write(engine) as connection:
            lock_subject(connection, first)
            issuer().issue(connection, "acme", first, listed_at=0.0)
            running = other.submit(run, engine, store, issuer(), second)
            until_it_waits(running)
        running.result()
    (_, before, after) = receipts(engine)
    assert (before["number"], after["number"]) == (2, 3)
    assert after["previous"] == hashlib.sha256(canonical(before)).hexdigest()


def test_who_completes_an_erasure_locks_the_subject_before_its_record(engine: Engine, store: ArtifactStore) -> None:
    """As whoever erases it at the same time, or each would wait for the other."""
    subject = subject_with_photos(engine, store)
    erasure.mark_deleted(engine, "acme", subject)
    erasure.erase(engine, store, ErasureLog(store), "acme", subject)
    with ThreadPoolExecutor(1) as other:
        with write(engine) as connection:
            lock_subject(connection, subject)
            running = other.submit(run, engine, store, issuer(), subject)
            until_it_waits(running)
            recording.lock_open(connection, "acme", subject)
        running.result()
    assert len(receipts(engine)) == 1


def test_whoever_comes_after_it_is_signed_signs_nothing(engine: Engine, store: ArtifactStore) -> None:
    subject = subject_with_photos(engine, store)
    run(engine, store, issuer(), subject)
    recording.note_objects(engine, "acme", subject, {f"tenants/acme/subjects/{subject}/photos/0.png": 10})
    erasure.complete(engine, store, issuer(), "acme", subject)
    (receipt,) = receipts(engine)
    assert_counted_once(receipt)
    with engine.connect() as connection:
        assert len(connection.execute(sa.select(schema.erasures)).all()) == 1


def test_what_comes_late_is_counted_too(engine: Engine, store: ArtifactStore) -> None:
    subject = subject_with_photos(engine, store)
    erasure.mark_deleted(engine, "acme", subject)
    erasure.erase(engine, store, ErasureLog(store), "acme", subject)
    store.put_sync(f"tenants/acme/subjects/{subject}/images/late.png", b"late image")
    run(engine, store, issuer(), subject)
    (receipt,) = receipts(engine)
    assert receipt["uncommitted"] == [
        {"class": "adapters", "count": 1, "bytes": 5},
        {"class": "images", "count": 1, "bytes": 10},
    ]


def test_what_comes_at_the_last_moment_keeps_the_receipt_from_being_signed(
    engine: Engine, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject, late = subject_with_photos(engine, store), [True]
    remove = store.remove_staged_sync

    def and_store(prefix: str) -> int:
        if late:
            late.clear()
            store.put_sync(f"{prefix}/images/late.png", b"x")
        return remove(prefix)

    erasure.mark_deleted(engine, "acme", subject)
    erasure.erase(engine, store, ErasureLog(store), "acme", subject)
    monkeypatch.setattr(store, "remove_staged_sync", and_store)
    with pytest.raises(FailedPreconditionError, match="ERASURE_INCOMPLETE"):
        run(engine, store, issuer(), subject)
    assert receipts(engine) == []
    run(engine, store, issuer(), subject)
    (receipt,) = receipts(engine)
    assert_counted_once(receipt, strays=2)


def test_a_row_that_is_left_keeps_the_receipt_from_being_signed(engine: Engine, store: ArtifactStore) -> None:
    subject = subject_with_photos(engine, store)
    erasure.mark_deleted(engine, "acme", subject)
    erasure.erase(engine, store, ErasureLog(store), "acme", subject)
    with write(engine) as connection:
        commit(connection, subject, StoreClass.IMAGES, "late", "ab" * 32, 1)
        with pytest.raises(FailedPreconditionError, match="commitments has a row"):
            issuer().issue(connection, "acme", subject, listed_at=0.0)
    assert receipts(engine) == []


def test_a_mark_that_leads_to_the_subject_keeps_the_receipt_from_being_signed(
    engine: Engine, store: ArtifactStore
) -> None:
    subject = subject_with_photos(engine, store)
    erasure.mark_deleted(engine, "acme", subject)
    erasure.erase(engine, store, ErasureLog(store), "acme", subject)
    with write(engine) as connection:
        record_mark(connection, "ab" * 8, "acme", subject, "late")
        with pytest.raises(FailedPreconditionError, match="marks has a row"):
            issuer().issue(connection, "acme", subject, listed_at=0.0)
    run(engine, store, issuer(), subject)
    (receipt,) = receipts(engine)
    assert "marks" in receipt["verified"]["tables"]


def test_every_table_that_tells_of_a_subject_is_looked_through() -> None:
    outlive = {"audit_events", "erasures"}
    told = {table.name for table in schema.metadata.tables.values() if "subject_id" in table.c} - outlive
    for looked_through in (issuing._COLUMNS, absence._OF_SUBJECTS):
        assert {column.table.name for column in looked_through} == told | {"retentions"}


def test_no_file_of_the_database_holds_the_salt_of_a_signed_erasure(
    engine: Engine, store: ArtifactStore, tmp_path: Path
) -> None:
    subject = subject_with_photos(engine, store)
    erasure.mark_deleted(engine, "acme", subject)
    erasure.erase(engine, store, ErasureLog(store), "acme", subject)
    with engine.connect() as connection:
        salt = connection.execute(sa.select(schema.erasures.c.salt)).scalar_one()

    def holding() -> list[str]:
        return [file.name for file in tmp_path.iterdir() if salt.encode() in file.read_bytes()]

    assert holding(), "or this test shows nothing"
    run(engine, store, issuer(), subject)
    assert holding() == []


def test_generators_that_confirmed_and_those_that_were_silent_are_told(engine: Engine, store: ArtifactStore) -> None:
    subject = subject_with_photos(engine, store)
    erasure.mark_deleted(engine, "acme", subject)
    for confirmed, silent in ((["a"], ["b", "c"]), (["b"], ["a"])):
        with write(engine) as connection:
            recording.note_replicas(connection, subject, confirmed, silent)
    run(engine, store, issuer(), subject)
    (receipt,) = receipts(engine)
    assert receipt["replicas"] == {"confirmed": ["a", "b"], "silent": ["c"]}
    with write(engine) as connection:
        recording.note_replicas(connection, subject, ["c"], [])
    assert receipts(engine) == [receipt], "what is signed stays"


def test_a_store_that_is_away_leaves_it_pending(
    engine: Engine, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = subject_with_photos(engine, store)
    erasure.mark_deleted(engine, "acme", subject)
    erasure.erase(engine, store, ErasureLog(store), "acme", subject)

    def away(_prefix: str) -> list[str]:
        raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "the bucket is away")

    with monkeypatch.context() as patch:
        patch.setattr(store, "list_sync", away)
        with pytest.raises(UnavailableError):
            run(engine, store, issuer(), subject)
    assert _row(engine, subject) is not None
    run(engine, store, issuer(), subject)
    assert len(receipts(engine)) == 1
