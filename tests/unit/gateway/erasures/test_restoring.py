"""Receipts outlive a restore of the database: none is lost, and no number is given twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.errors import UnavailableError
from services.gateway.erasures.entries import copy_receipts
from services.gateway.erasures.log import RECEIPTS, ErasureLog
from services.gateway.erasures.restoring import bring_all_back, bring_back
from services.gateway.subjects import erasure
from tests.support.gateway.erasures import run, subject_with_photos
from tests.support.gateway.restores import Backup, Place, errors, times, told
from tests.unit.gateway.erasures.test_issuing import Interrupting, Killed


def test_receipts_come_back_as_they_were_and_the_next_follows_them(place: Place) -> None:
    place.erase()
    backup = Backup(place.engine)
    place.erase(2)
    before, ended_at = place.rows(), place.head()
    backup.restore()
    assert place.numbers() == [1], "or nothing was lost"
    assert [bring_all_back(place.engine, place.log) for _ in range(2)] == [2, 0]
    assert (told(place.rows()), place.head()) == (told(before), ended_at)
    assert times(place.rows()) == pytest.approx(times(before), abs=0.0011), "receipts have milliseconds"
    place.erase()
    assert (place.numbers(), place.faults(), place.copies()) == ([1, 2, 3, 4], [], [1, 2, 3, 4])


def test_each_tenants_come_back_by_themselves_and_those_of_an_unknown_one_are_named(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.erase(2)
    with place.engine.begin() as connection:
        for table in reversed(schema.metadata.sorted_tables):
            if table.name != "erasure_keys":
                connection.execute(sa.delete(table))
    assert (bring_all_back(place.engine, place.log), place.rows()) == (0, [])
    (error,) = errors(caplog)
    assert "tenant acme, which the database does not know" in error
    for tenant in ("acme", "globex"):
        keys.create_tenant(place.engine, tenant)
    assert [bring_back(place.engine, place.log, tenant) for tenant in ("globex", "acme")] == [0, 2]


async def test_no_number_is_given_again_though_nobody_has_followed_the_log(place: Place) -> None:
    """The database is restored under a gateway that runs, and is from before its key."""
    backup, eraser = Backup(place.engine), place.eraser()
    for restored in (False, True):
        if restored:
            backup.restore()
            with place.engine.begin() as connection:
                connection.execute(sa.delete(schema.erasure_keys))
        await eraser.delete("acme", subject_with_photos(place.engine, place.store))
        await eraser.sweep()
    assert (place.numbers(), place.faults(), place.copies()) == ([1, 2], [], [1, 2])


async def test_while_the_log_is_away_no_receipt_is_signed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> list[str]:
        raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "the bucket is away")

    await place.eraser().delete("acme", subject_with_photos(place.engine, place.store))
    with monkeypatch.context() as patch:
        patch.setattr(place.store, "list_after_sync", away)
        await place.eraser().sweep()
    assert place.numbers() == [None]
    await place.eraser().sweep()
    assert place.numbers() == [1]


@pytest.mark.parametrize("erased", [False, True])
def test_an_erasure_that_the_backup_had_begun_is_done_again_as_another(
    place: Place, tmp_path: Path, *, erased: bool
) -> None:
    """Or one erasure had two receipts, or what came back of the person went without one."""
    subject = subject_with_photos(place.engine, place.store)
    first, _ = erasure.mark_deleted(place.engine, "acme", subject)
    if erased:
        erasure.erase(place.engine, place.store, place.log, "acme", subject)
    (salt,) = [row.salt for row in place.rows()]
    backup = Backup(place.engine)
    run(place.engine, place.store, place.signer, subject)
    copy_receipts(place.engine, place.log)
    backup.restore()
    assert bring_all_back(place.engine, place.log) == 1
    done, again = place.rows()
    assert (done.id, done.number, done.trigger, done.subject_id, done.salt) == (first, 1, "REQUEST", None, None)
    assert (again.number, again.trigger, again.subject_id) == (None, "REPLAY", subject)
    assert not [file for file in tmp_path.glob("headshots.db*") if salt.encode() in file.read_bytes()]
    run(place.engine, place.store, place.signer, subject)
    assert (place.numbers(), place.faults()) == ([1, 2], [])


def test_one_that_lacks_its_receipt_alone_gets_it(place: Place) -> None:
    """An older gateway has removed the subject's row."""
    subject = subject_with_photos(place.engine, place.store)
    erasure.mark_deleted(place.engine, "acme", subject)
    backup = Backup(place.engine)
    run(place.engine, place.store, place.signer, subject)
    copy_receipts(place.engine, place.log)
    backup.restore()
    with place.engine.begin() as connection:
        for table in (schema.consents, schema.retentions, schema.commitments, schema.subjects):
            connection.execute(sa.delete(table))
    assert (bring_all_back(place.engine, place.log), place.numbers()) == (1, [1])


@pytest.mark.parametrize("works", [copy_receipts, bring_all_back])
def test_killed_at_every_step_each_receipt_is_copied_and_comes_back_once(
    place: Place, monkeypatch: pytest.MonkeyPatch, works: Callable[[Engine, ErasureLog], int]
) -> None:
    begin = Backup(place.engine)
    place.sign(2)
    signed, ended_at = told(place.rows()), place.head()
    if works is copy_receipts:
        begin = Backup(place.engine)
    else:
        copy_receipts(place.engine, place.log)
    interrupting, step, killed = Interrupting(place.engine, place.store, monkeypatch), 0, True
    while killed:
        begin.restore()
        if works is copy_receipts:
            place.store.delete_prefix_sync(RECEIPTS)
        step += 1
        interrupting.calls, interrupting.kill_at = 0, step
        try:
            works(place.engine, place.log)
            killed = False
        except Killed:
            interrupting.kill_at = None
            works(place.engine, place.log)
        interrupting.kill_at = None
        assert (told(place.rows()), place.head(), place.copies()) == (signed, ended_at, [1, 2])
        assert all(row.copied_at is not None for row in place.rows())
    assert step > 5


def test_several_gateways_bring_receipts_back_at_once(place: Place) -> None:
    subject = subject_with_photos(place.engine, place.store)
    erasure.mark_deleted(place.engine, "acme", subject)
    backup = Backup(place.engine)
    run(place.engine, place.store, place.signer, subject)
    place.erase(5)
    backup.restore()
    returned, failures, ready = list[int](), list[BaseException](), threading.Barrier(4)

    def gateway() -> None:
        ready.wait()
        try:
            returned.append(bring_all_back(place.engine, place.log))
            copy_receipts(place.engine, place.log)
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=gateway) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, sum(returned)) == ([], 6)
    assert (place.numbers(), place.faults(), place.copies()) == ([1, 2, 3, 4, 5, 6, None], [], [1, 2, 3, 4, 5, 6])
