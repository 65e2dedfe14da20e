"""Receipts outlive a restore of the database: none is lost, and no number is given twice."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from obstore.store import MemoryStore
from sqlalchemy.engine import Engine, Row

from headshots import keys, schema
from headshots.artifacts import ArtifactStore
from headshots.database import migrate
from headshots.errors import UnavailableError
from headshots.receipts.signing import ReceiptKey
from headshots.receipts.verifying import read_public_keys, verify
from services.gateway.erasures import entries, restoring
from services.gateway.erasures.entries import copy_receipts, uncopied_query
from services.gateway.erasures.issuing import Issuer
from services.gateway.erasures.log import RECEIPTS, ErasureLog
from services.gateway.erasures.restoring import bring_all_back, bring_back
from services.gateway.subjects import erasure
from services.gateway.subjects.eraser import Eraser
from tests.support.gateway.erasing import NoGenerator
from tests.support.gateway.erasures import run, subject_with_photos
from tests.support.gateway.receipts import issuer
from tests.support.receipts import receipt
from tests.unit.gateway.erasures.test_issuing import Interrupting, Killed
from tests.unit.test_migrations import migrate_to


class Place:
    """A database and the store of its log, with people to erase."""

    def __init__(self, engine: Engine, key: ReceiptKey) -> None:
        self.engine, self.key = engine, key
        self.store = ArtifactStore(MemoryStore())
        self.log = ErasureLog(self.store)
        self.signer = Issuer(key, backup_horizon_days=7)
        self.signer.publish_key(engine)
        keys.create_tenant(engine, "acme")

    def sign(self, count: int = 1) -> None:
        """Erases people and copies no receipt."""
        for _ in range(count):
            run(self.engine, self.store, self.signer, subject_with_photos(self.engine, self.store))

    def erase(self, count: int = 1) -> None:
        self.sign(count)
        copy_receipts(self.engine, self.log)

    def eraser(self) -> Eraser:
        return Eraser(self.engine, self.store, NoGenerator(), self.signer, sweep_seconds=0.0)

    def rows(self) -> list[Row[Any]]:
        """Of erasures, by their numbers; those without one last."""
        with self.engine.connect() as connection:
            found = connection.execute(sa.select(schema.erasures)).all()
        return sorted(found, key=lambda row: row.number or 2**31)

    def numbers(self) -> list[int]:
        return [row.number for row in self.rows()]

    def head(self) -> tuple[int, str]:
        with self.engine.connect() as connection:
            (chain,) = connection.execute(sa.select(schema.erasure_chains)).all()
        return chain.head_number, chain.head_sha256

    def faults(self) -> list[str]:
        """What is wrong with the database's receipts."""
        receipts = {row.id: row.receipt.encode() for row in self.rows() if row.receipt}
        found = verify(receipts, read_public_keys(self.key.public_pem.encode()))
        return [*found.chain_faults, *(fault for each in found.receipts for fault in each.faults)]

    def copies(self) -> list[int]:
        """The number of each copy."""
        return [int(key.split("/")[3].split("-")[0]) for key in self.store.list_sync(RECEIPTS)]

    def leave(self, data: bytes, number: int = 1, digits: str = "") -> str:
        """Puts something in the place of a copy of `acme`; its key."""
        digits = digits or hashlib.sha256(data).hexdigest()[:12]
        key = f"{RECEIPTS}/acme/{number:010d}-{digits}.json"
        self.store.put_sync(key, data)
        return key


class Backup:
    """All rows of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine, tables = engine, schema.metadata.sorted_tables
        with engine.connect() as connection:
            self._rows = {table: connection.execute(sa.select(table)).mappings().all() for table in tables}

    def restore(self) -> None:
        with self._engine.begin() as connection:
            for table in reversed(self._rows):
                connection.execute(sa.delete(table))
            for table, rows in self._rows.items():
                for row in rows:
                    connection.execute(sa.insert(table).values(**row))


@pytest.fixture
def place(engine: Engine, tmp_path: Path) -> Place:
    return Place(engine, ReceiptKey.open(tmp_path / "receipt-key.pem"))


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


TIMES = ("created_at", "erased_at", "signed_at", "backups_until")


def told(rows: list[Row[Any]]) -> list[dict[str, Any]]:
    """What rows say, without times."""
    return [{name: row._mapping[name] for name in row._mapping if name not in (*TIMES, "copied_at")} for row in rows]


def times(rows: list[Row[Any]]) -> list[float]:
    return [row._mapping[name] for row in rows for name in TIMES]


def test_a_copy_is_the_receipt_itself(place: Place) -> None:
    place.sign()
    assert place.copies() == []
    assert (copy_receipts(place.engine, place.log), copy_receipts(place.engine, place.log)) == (1, 0)
    (row,), (key,) = place.rows(), place.store.list_sync(RECEIPTS)
    assert key == f"{RECEIPTS}/acme/0000000001-{row.receipt_sha256[:12]}.json"
    assert place.store.get_sync(key) == row.receipt.encode()


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


async def test_a_log_that_takes_no_copy_holds_up_no_erasure(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> bytes:
        raise UnavailableError("OBJECT_STORE_FULL", "no room")

    for _ in range(2):
        await place.eraser().delete("acme", subject_with_photos(place.engine, place.store))
    with monkeypatch.context() as patch:
        patch.setattr(place.store, "put_or_get_sync", full)
        await place.eraser().sweep()
    assert (place.numbers(), place.copies()) == ([1, 2], [])
    await place.eraser().sweep()
    assert place.copies() == [1, 2]


async def test_a_sweep_copies_what_killed_gateways_had_signed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.sign(3)
    monkeypatch.setattr(entries, "_COPIED_AT_ONCE", 2)
    await place.eraser().sweep()
    assert place.copies() == [2, 3], "the newest first: backups have the older ones"
    await place.eraser().sweep()
    assert place.copies() == [1, 2, 3]


async def test_a_receipt_is_copied_before_the_next_is_signed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at the sweep's end: each may wait for generators."""
    signed, complete = list[list[int]](), erasure.complete

    def noting(*values: Any) -> int:
        signed.append(place.copies())
        return complete(*values)

    monkeypatch.setattr(erasure, "complete", noting)
    for _ in range(3):
        await place.eraser().delete("acme", subject_with_photos(place.engine, place.store))
    await place.eraser().sweep()
    assert signed == [[], [1], [1, 2]]


def test_receipts_of_before_there_were_copies_are_copied(place: Place) -> None:
    place.erase(2)
    place.store.delete_prefix_sync(RECEIPTS)
    migrate_to(place.engine, "0019", command.downgrade)
    assert "copied_at" not in {column["name"] for column in sa.inspect(place.engine).get_columns("erasures")}
    migrate(place.engine)
    assert (copy_receipts(place.engine, place.log), place.copies()) == (2, [1, 2])


def test_sweeps_read_only_receipts_without_a_copy(engine: Engine) -> None:
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {uncopied_query().compile(connection)}").all()
    assert ["ix_erasures_uncopied" in row.detail for row in plan] == [True], plan


def test_a_receipt_whose_place_is_taken_is_named_and_not_called_copied(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.sign(2)
    taken = place.leave(b"somebody's", digits=place.rows()[0].receipt_sha256[:12])
    assert copy_receipts(place.engine, place.log) == 1
    (error,) = errors(caplog)
    assert taken in error
    assert place.store.get_sync(taken) == b"somebody's"
    place.store.delete_sync(taken)
    assert (copy_receipts(place.engine, place.log), place.copies()) == (1, [1, 2])


def test_copies_that_are_gone_are_written_again(place: Place) -> None:
    """The log was moved to another store, say."""
    place.erase(3)
    first, *_ = place.store.list_sync(RECEIPTS)
    place.store.delete_sync(first)
    assert bring_all_back(place.engine, place.log, whole=True) == 0
    assert (copy_receipts(place.engine, place.log), place.copies()) == (1, [1, 2, 3])
    place.store.delete_prefix_sync(RECEIPTS)
    assert bring_all_back(place.engine, place.log, whole=True) == 0
    assert (copy_receipts(place.engine, place.log), place.copies()) == (3, [1, 2, 3])


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


OTHERS: dict[str, Callable[[Place], str]] = {
    "signed with another key": lambda place: place.leave(receipt(issuer()._key)),
    "no receipt": lambda place: place.leave(b"{}"),
    "no JSON": lambda place: place.leave(b"\xff"),
    "empty": lambda place: place.leave(b""),
    "nested too deeply": lambda place: place.leave(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "larger than any receipt": lambda place: place.leave(b" " * 2**21),
    "changed": lambda place: place.leave(receipt(place.key).replace(b"REQUEST", b"CONSENT_WITHDRAWN")),
    "another number": lambda place: place.leave(receipt(place.key), number=2),
    "another tenant": lambda place: place.leave(receipt(place.key, tenant="globex")),
    "another digest": lambda place: place.leave(receipt(place.key), digits="0" * 12),
    "what a later version says": lambda place: place.leave(receipt(place.key, trigger="WHIM")),
    "no time": lambda place: place.leave(receipt(place.key, backups={"horizon_days": 0})),
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_no_receipt_is_named_and_not_believed(
    place: Place, caplog: pytest.LogCaptureFixture, other: str
) -> None:
    keys.create_tenant(place.engine, "globex")
    key = OTHERS[other](place)
    assert (bring_all_back(place.engine, place.log), place.rows()) == (0, [])
    (error,) = errors(caplog)
    assert key in error
    place.leave(receipt(place.key, number=3), number=3)
    assert (bring_all_back(place.engine, place.log), place.numbers()) == (1, [3]), "it holds up no other"
    assert place.store.exists_sync(key)


def test_what_is_larger_than_any_receipt_is_not_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.leave(b" " * 2**21)
    monkeypatch.setattr(place.store, "get_sync", lambda key: pytest.fail(f"{key} is read"))
    assert bring_all_back(place.engine, place.log) == 0


def test_what_is_not_named_as_a_copy_is_named_and_left_out(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.store.put_sync(f"{RECEIPTS}/acme/notes.txt", b"somebody's")
    assert bring_all_back(place.engine, place.log) == 0
    (error,) = errors(caplog)
    assert f"{RECEIPTS}/acme/notes.txt" in error


def test_two_receipts_of_one_number_are_named_and_both_stay(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """As older gateways, which do not follow the log, sign them after a restore."""
    place.erase()
    backup = Backup(place.engine)
    place.erase()
    backup.restore()
    place.erase()
    before, ended_at = place.rows(), place.head()
    assert (place.numbers(), place.copies()) == ([1, 2], [1, 2, 2])
    assert bring_all_back(place.engine, place.log, whole=True) == 0
    (error,) = errors(caplog)
    assert "both stay" in error
    assert (told(place.rows()), place.head()) == (told(before), ended_at)
    assert place.copies() == [1, 2, 2]


def test_of_two_of_one_number_that_no_database_knows_one_comes_back(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    for erased in ("a", "b"):
        place.leave(receipt(place.key, erasure=erased * 32))
    assert (bring_all_back(place.engine, place.log), place.numbers(), place.copies()) == (1, [1], [1, 1])
    assert len(errors(caplog)) == 1


def test_a_second_receipt_of_one_erasure_is_named_and_its_number_is_not_given_again(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.erase()
    (row,) = place.rows()
    second = receipt(place.key, number=2, previous=row.receipt_sha256, erasure=row.id)
    place.leave(second, number=2)
    assert bring_all_back(place.engine, place.log) == 0
    assert len(errors(caplog)) == 1
    assert place.head() == (2, hashlib.sha256(second).hexdigest())
    place.erase()
    assert place.numbers() == [1, 3]


def test_a_receipt_that_was_left_out_comes_back_later(place: Place) -> None:
    """Its key came into use after the backup; a gateway that starts with that key has it known again."""
    newer = issuer()
    for number, key in ((1, newer._key), (2, place.key)):
        place.leave(receipt(key, number=number), number=number)
    assert bring_all_back(place.engine, place.log) == 1
    newer.publish_key(place.engine)
    assert bring_all_back(place.engine, place.log) == 0, "it is before the head"
    assert bring_all_back(place.engine, place.log, whole=True) == 1
    assert (place.numbers(), place.head()[0]) == ([1, 2], 2)


def test_a_tenant_that_meets_a_defect_holds_up_no_other(
    place: Place, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = Backup(place.engine)
    place.erase()
    backup.restore()
    place.store.put_sync(f"{RECEIPTS}/aaa/0000000001-{'0' * 12}.json", b"")
    back = restoring.bring_back

    def defect(engine: Engine, log: ErasureLog, tenant_id: str, **options: Any) -> int:
        if tenant_id == "aaa":
            raise RuntimeError("a defect")
        return back(engine, log, tenant_id, **options)

    monkeypatch.setattr(restoring, "bring_back", defect)
    assert (bring_all_back(place.engine, place.log), place.numbers()) == (1, [1])
    assert ("tenant aaa" in errors(caplog)[0], "a defect" in caplog.text) == (True, True)


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
