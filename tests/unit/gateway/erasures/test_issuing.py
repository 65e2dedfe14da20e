"""Exactly one receipt an erasure, which counts everything once, whatever is killed when, on any number of gateways."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.artifacts import ArtifactStore
from headshots.database import write
from headshots.errors import UnavailableError
from headshots.receipts.merkle import commitment, root
from services.gateway.erasures import recording
from services.gateway.erasures.log import ErasureLog
from services.gateway.subjects import erasure
from tests.support.gateway.erasures import PHOTOS, assert_counted_once, receipts, row_of, run, subject_with_photos
from tests.support.gateway.receipts import issuer


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


class Killed(BaseException):
    """What a kill looks like from within: no handler runs."""


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
        assert row_of(engine, subject) is None
    made = receipts(engine)
    assert [each["number"] for each in made] == list(range(1, steps + 2))
    for each in made:
        assert_counted_once(each)
    with engine.connect() as connection:
        left = connection.execute(sa.select(schema.erasures).where(schema.erasures.c.subject_id.is_not(None))).all()
    assert left == []


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
    assert row_of(engine, subject) is not None
    run(engine, store, issuer(), subject)
    assert len(receipts(engine)) == 1
