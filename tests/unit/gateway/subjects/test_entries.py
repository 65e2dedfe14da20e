"""The log of erasures has an entry of each before anything of it is removed."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from obstore.store import MemoryStore
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.artifacts import ArtifactStore
from headshots.errors import FailedPreconditionError, NotFoundError, UnavailableError
from services.gateway.erasures.log import FOLDER, ErasureLog, subject_hash
from services.gateway.erasures.models import Trigger
from services.gateway.subjects import erasure
from services.gateway.subjects.eraser import Eraser
from services.gateway.subjects.rows import get_subject, give_consent, hold_subject
from tests.support.consents import GIVEN
from tests.support.gateway.erasing import FailingStore, NoGenerator, insert_job, rows, subject_with_objects
from tests.support.gateway.receipts import issuer


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
