"""Each receipt has a copy outside the database, whatever the log does."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.engine import Engine

from headshots.database import migrate
from headshots.errors import UnavailableError
from services.gateway.erasures import entries
from services.gateway.erasures.entries import copy_receipts, uncopied_query
from services.gateway.erasures.log import RECEIPTS
from services.gateway.erasures.restoring import bring_all_back
from services.gateway.subjects import erasure
from tests.support.gateway.erasures import subject_with_photos
from tests.support.gateway.restores import Place, errors
from tests.unit.test_migrations import migrate_to


def test_a_copy_is_the_receipt_itself(place: Place) -> None:
    place.sign()
    assert place.copies() == []
    assert (copy_receipts(place.engine, place.log), copy_receipts(place.engine, place.log)) == (1, 0)
    (row,), (key,) = place.rows(), place.store.list_sync(RECEIPTS)
    assert key == f"{RECEIPTS}/acme/0000000001-{row.receipt_sha256[:12]}.json"
    assert place.store.get_sync(key) == row.receipt.encode()


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
