"""Nobody comes back from a backup: who is in the log of erasures and in the database is erased again."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.artifacts import ArtifactStore
from headshots.clocks import ClockWatch
from headshots.database import read
from headshots.errors import NotFoundError, UnavailableError
from services.gateway.erasures.log import FOLDER, ErasureLog
from services.gateway.erasures.marks import read_mark, set_mark
from services.gateway.erasures.models import Trigger
from services.gateway.subjects.eraser import Eraser
from services.gateway.subjects.replaying import Replaying
from services.gateway.subjects.rows import get_subject, hold_subject
from tests.support.gateway.erasing import (
    FailingStore,
    NoGenerator,
    erased_before,
    now,
    rows,
    subject_with_objects,
)
from tests.support.gateway.receipts import issuer
from tests.support.waiting import until

DAY = timedelta(days=1)


def deleted_by(engine: Engine, subject_id: str) -> list[tuple[str, str]]:
    """What the audit log tells of its deletion, and by whose key."""
    events = schema.audit_events
    with read(engine) as connection:
        found = connection.execute(sa.select(events).where(events.c.subject_id == subject_id)).all()
    return [(row.action, row.key_id) for row in found if row.action in ("subject_deleted", "subject_erased")]


async def test_who_came_back_is_erased_before_anybody_is_served(engine: Engine) -> None:
    store = FailingStore(0)
    other = subject_with_objects(engine, store)
    subject_id, log = erased_before(engine, store)
    await Replaying(engine, store, log, issuer()).read_first()
    assert {row.id: row.erased_at is not None for row in rows(engine)} == {other: False, subject_id: True}
    assert {key.split("/")[3] for key in store.list_sync("tenants")} == {other}
    assert deleted_by(engine, subject_id) == [("subject_deleted", ""), ("subject_erased", "")]
    assert await Replaying(engine, store, log, issuer()).read() == 0, "once"


async def test_who_came_back_gets_a_receipt_of_the_replay(engine: Engine) -> None:
    store = FailingStore(0)
    _, log = erased_before(engine, store)
    await Replaying(engine, store, log, issuer()).read_first()
    await Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0).sweep()
    with read(engine) as connection:
        (erasure,) = connection.execute(sa.select(schema.erasures)).all()
    assert (erasure.trigger, erasure.number) == ("REPLAY", 1)


async def test_a_held_subject_that_came_back_is_erased_all_the_same(engine: Engine) -> None:
    store = FailingStore(0)
    subject_id, log = erased_before(engine, store)
    hold_subject(engine, "acme", subject_id, "a dispute")
    assert await Replaying(engine, store, log, issuer()).read() == 1
    assert store.list_sync("tenants") == []


async def test_who_came_back_is_hidden_though_the_store_refuses_to_delete(engine: Engine) -> None:
    store = FailingStore(1)
    (first, log), (second, _) = (erased_before(engine, store) for _ in range(2))
    assert await Replaying(engine, store, log, issuer()).read() == 2
    for each in (first, second):
        with pytest.raises(NotFoundError):
            get_subject(engine, "acme", each)
    assert sorted(row.erased_at is None for row in rows(engine)) == [False, True], "one holds up no other"
    await Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0).sweep()
    assert store.list_sync("tenants") == []


async def test_nobody_is_served_before_the_log_was_read(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FailingStore(0)
    subject_id, log = erased_before(engine, store)
    listing, failures = store.list_sync, 2

    def away(prefix: str) -> list[str]:
        nonlocal failures
        if failures:
            failures -= 1
            raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "the bucket is away")
        return listing(prefix)

    monkeypatch.setattr(store, "list_sync", away)
    monkeypatch.setattr("services.gateway.subjects.replaying._FIRST_PAUSE_SECONDS", 0.0)
    await Replaying(engine, store, log, issuer()).read_first()
    assert failures == 0
    with pytest.raises(NotFoundError):
        get_subject(engine, "acme", subject_id)


async def test_a_defect_is_told_and_nobody_is_served_before_it_is_gone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = FailingStore(0)
    subject_id, log = erased_before(engine, store)
    erased, failures = log.erased, 2

    def defect(since: date | None, today: date) -> set[str]:
        nonlocal failures
        if failures:
            failures -= 1
            raise RuntimeError("a defect")
        return erased(since, today)

    monkeypatch.setattr(log, "erased", defect)
    monkeypatch.setattr("services.gateway.subjects.replaying._DEFECT_PAUSE_SECONDS", 0.0)
    await Replaying(engine, store, log, issuer()).read_first()
    assert failures == 0
    assert caplog.text.count("RuntimeError: a defect") == 2
    with pytest.raises(NotFoundError):
        get_subject(engine, "acme", subject_id)


async def test_who_came_back_and_cannot_be_erased_for_a_defect_is_hidden_and_holds_up_no_other(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = FailingStore(0)
    (first, log), (second, _) = (erased_before(engine, store) for _ in range(2))
    leave, failures = log.write, 1

    def defect(*values: Any) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise RuntimeError("a defect")
        leave(*values)

    monkeypatch.setattr(log, "write", defect)
    await Replaying(engine, store, log, issuer()).read_first()
    assert "RuntimeError: a defect" in caplog.text
    for each in (first, second):
        with pytest.raises(NotFoundError):
            get_subject(engine, "acme", each)
    assert sorted(row.erased_at is None for row in rows(engine)) == [False, True]


async def test_a_gateway_that_runs_reads_on_after_a_failure_and_a_defect(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The database is restored under it while the bucket is away."""
    store = FailingStore(0)
    _, log = erased_before(engine, store)
    erased = log.erased
    troubles = [UnavailableError("OBJECT_STORE_UNAVAILABLE", "the bucket is away"), RuntimeError("a defect")]

    def troubled(since: date | None, today: date) -> set[str]:
        if troubles:
            raise troubles.pop(0)
        return erased(since, today)

    monkeypatch.setattr(log, "erased", troubled)
    monkeypatch.setattr("services.gateway.subjects.replaying._SECONDS", 0.001)
    running = asyncio.create_task(Replaying(engine, store, log, issuer()).run())
    await until(lambda: all(row.erased_at is not None for row in rows(engine)) or running.done())
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [row.erased_at is not None for row in rows(engine)] == [True]
    assert "cannot read who was erased; trying again: OBJECT_STORE_UNAVAILABLE" in caplog.text
    assert "RuntimeError: a defect" in caplog.text


async def test_only_entries_since_the_mark_are_read_and_the_mark_moves(engine: Engine) -> None:
    store, today = FailingStore(0), now(engine).date()
    long_ago, log = erased_before(engine, store, days=3)
    replaying = Replaying(engine, store, log, issuer())
    set_mark(engine, today - DAY)
    assert await replaying.read() == 0, "it was erased when the mark was set, as far as that tells"
    set_mark(engine, today - 2 * DAY)
    assert await replaying.read() == 1, "an entry of the day before a mark counts: clocks differ"
    assert read_mark(engine) == today
    assert [(row.id, row.erased_at is not None) for row in rows(engine)] == [(long_ago, True)]


async def test_a_mark_of_a_clock_that_was_ahead_hides_nobody_who_came_back(engine: Engine) -> None:
    store = FailingStore(0)
    for days in (0, 10):
        _, log = erased_before(engine, store, days=days)
    set_mark(engine, now(engine).date() + 365 * DAY)
    assert await Replaying(engine, store, log, issuer()).read() == 2
    assert read_mark(engine) == now(engine).date()


async def test_a_failed_reading_does_not_move_the_mark(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FailingStore(0)
    _, log = erased_before(engine, store)

    def busy(*_: object) -> None:
        raise UnavailableError("DATABASE_UNAVAILABLE", "somebody writes")

    with monkeypatch.context() as patch:
        patch.setattr("services.gateway.subjects.erasure.cancel_and_hide", busy)
        with pytest.raises(UnavailableError):
            await Replaying(engine, store, log, issuer()).read()
    assert read_mark(engine) is None


def entries(store: ArtifactStore) -> list[str]:
    return [json.loads(store.get_sync(key))["trigger"] for key in store.list_sync(FOLDER)]


async def test_a_replayed_erasure_has_an_entry_of_its_own_day(engine: Engine) -> None:
    """Backups that were made since it came back outlive the first entry."""
    store = FailingStore(0)
    _, log = erased_before(engine, store, days=1)
    await Replaying(engine, store, log, issuer()).read()
    assert entries(store) == ["EXPIRY", "REPLAY"]


async def test_old_entries_stay_while_the_clock_is_not_trusted(engine: Engine) -> None:
    store, uptime = FailingStore(0), 0.0
    clock = ClockWatch(lambda: uptime)
    clock.trusts(now(engine).timestamp() - 86400)
    log = ErasureLog(store, keep_days=30)
    log.write("acme", "ada", Trigger.REQUEST, (now(engine) - 40 * DAY).timestamp())
    replaying = Replaying(engine, store, log, issuer(), clock)
    replaying._remove_old()
    assert entries(store) == ["REQUEST"], "the database's clock has jumped a day ahead"
    uptime = 7200.0
    clock.trusts(now(engine).timestamp())
    replaying._remove_old()
    assert entries(store) == []
