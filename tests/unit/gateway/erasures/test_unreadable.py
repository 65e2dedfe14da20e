"""Copies of receipts that cannot be read hold up nobody but their tenant."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.artifacts import ArtifactStore
from headshots.errors import UnavailableError
from headshots.receipts.signing import ReceiptKey
from services.gateway.erasures import restoring
from services.gateway.erasures.entries import copy_receipts
from services.gateway.erasures.log import RECEIPTS, ErasureLog
from services.gateway.erasures.models import Trigger
from services.gateway.erasures.restoring import ReceiptsUnreadableError, bring_all_back
from services.gateway.subjects.replaying import Replaying, replay
from tests.support.gateway.erasures import run, subject_with_photos
from tests.support.gateway.restores import Backup, Place, errors


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
    with pytest.raises(ReceiptsUnreadableError, match="erased/receipts/aaa of"):
        bring_all_back(place.engine, place.log)
    assert place.numbers() == [1]
    assert ("tenant aaa" in errors(caplog)[0], "a defect" in caplog.text) == (True, True)


def linked(place: Path, target: Path) -> None:
    target.mkdir()
    place.symlink_to(target)


IN_THE_WAY: dict[str, Callable[[Path], None]] = {
    "a name that is no text": lambda folder: (Path(os.fsdecode(os.fsencode(folder) + b"/\xff"))).mkdir(),
    "a name with a line's end": lambda folder: (folder / "a\nb").mkdir(),
    "a link": lambda folder: linked(folder / "zzz", folder.parents[2] / "elsewhere"),
}


@pytest.fixture
def stored(engine: Engine, tmp_path: Path) -> Place:
    """One whose log lies in a folder, which has something of another tenant, `globex`."""
    place = Place(engine, ReceiptKey.open(tmp_path / "receipt-key.pem"))
    place.store = ArtifactStore.open((tmp_path / "objects").as_uri())
    place.log = ErasureLog(place.store)
    keys.create_tenant(engine, "globex")
    place.store.put_sync(f"{RECEIPTS}/globex/notes.txt", b"")
    return place


def folder_of(tmp_path: Path, tenant: str = "") -> Path:
    return tmp_path / "objects" / RECEIPTS / tenant


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("where", ["", "globex"])
@pytest.mark.parametrize("what", IN_THE_WAY)
def test_receipts_come_back_past_what_cannot_be_read(
    stored: Place, tmp_path: Path, what: str, where: str, *, whole: bool
) -> None:
    backup = Backup(stored.engine)
    stored.erase(2)
    backup.restore()
    IN_THE_WAY[what](folder_of(tmp_path, where))
    with pytest.raises(ReceiptsUnreadableError) as told:
        bring_all_back(stored.engine, stored.log, whole=whole)
    named = "zzz" if what == "a link" and not where else where
    assert told.value.folders == (f"{RECEIPTS}/{named}".rstrip("/"),)
    assert stored.numbers() == [1, 2]


@pytest.mark.parametrize("what", IN_THE_WAY)
async def test_a_gateway_starts_and_only_the_tenant_whose_copies_cannot_be_read_signs_none(
    stored: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    backup = Backup(stored.engine)
    stored.erase()
    backup.restore()
    IN_THE_WAY[what](folder_of(tmp_path, "acme"))
    counted = list[int]()
    replaying = Replaying(stored.engine, stored.store, stored.log, stored.signer, unreadable=counted.append)
    await replaying.read_first()
    assert (counted, f"{RECEIPTS}/acme" in errors(caplog)[-1]) == ([1], True)
    assert ("the object store failed on erased/receipts/acme" in caplog.text, "Traceback" in caplog.text) == (
        True,
        False,
    )
    await stored.eraser().delete("acme", subject_with_photos(stored.engine, stored.store))
    await stored.eraser().sweep()
    assert stored.numbers() == [None], "its number might be given twice"
    for path in folder_of(tmp_path, "acme").iterdir():
        if not path.name.startswith("0"):
            path.unlink() if path.is_symlink() else path.rmdir()
    await replaying.read()
    await stored.eraser().sweep()
    assert (counted, stored.numbers(), stored.faults()) == ([1, 0], [1, 2], [])


async def test_what_the_daily_reading_could_not_read_is_told_until_the_next(place: Place) -> None:
    counted = list[int]()
    replaying = Replaying(place.engine, place.store, place.log, place.signer, unreadable=counted.append)
    place.erase()
    (key,) = place.store.list_sync(RECEIPTS)
    with place.engine.begin() as connection:
        connection.execute(sa.delete(schema.erasures))
    size_of = place.store.size_sync

    def unreadable(asked: str) -> int:
        if asked == key:
            raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "no right to read it")
        return size_of(asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place.store, "size_sync", unreadable)
        await replaying.look_through()
    await replaying.read()
    assert counted == [1, 1]


def test_a_replay_does_all_else_and_tells_that_some_cannot_be_read(stored: Place, tmp_path: Path) -> None:
    subject = subject_with_photos(stored.engine, stored.store)
    backup = Backup(stored.engine)
    run(stored.engine, stored.store, stored.signer, subject)
    stored.log.write("acme", subject, Trigger.REQUEST, time.time())
    backup.restore()
    IN_THE_WAY["a link"](folder_of(tmp_path, "globex"))
    with pytest.raises(ReceiptsUnreadableError, match="RECEIPTS_UNREADABLE"):
        replay(stored.engine, stored.store, stored.log)
    with stored.engine.connect() as connection:
        (erased_at,) = connection.execute(sa.select(schema.subjects.c.erased_at)).scalars()
    assert erased_at is not None


def test_without_the_database_the_reading_fails(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that went on would serve who came back."""
    place.erase()

    def busy(*_: Any, **__: Any) -> int:
        raise UnavailableError("DATABASE_UNAVAILABLE", "somebody writes")

    monkeypatch.setattr(restoring, "bring_back", busy)
    with pytest.raises(UnavailableError, match="DATABASE_UNAVAILABLE"):
        bring_all_back(place.engine, place.log)


def test_a_folder_that_takes_no_copy_holds_up_no_others_receipts(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.sign(2)
    with place.engine.begin() as connection:
        keys.create_tenant(place.engine, "globex")
        second = sa.update(schema.erasures).where(schema.erasures.c.number == 2)
        connection.execute(second.values(tenant_id="globex", signed_at=schema.erasures.c.signed_at + 1))
    put = place.store.put_or_get_sync

    def link_in_the_way(key: str, data: bytes) -> bytes:
        if "globex" in key:
            raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "a link")
        return put(key, data)

    monkeypatch.setattr(place.store, "put_or_get_sync", link_in_the_way)
    with pytest.raises(UnavailableError):
        copy_receipts(place.engine, place.log)
    assert place.copies() == [1]
