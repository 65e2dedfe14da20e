"""What an erasure removes is in no table of a trainer and in no file of the database."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.errors import UnavailableError
from services.gateway.api.requests import IdempotencyKey
from services.gateway.erasures.rows import open_erasures
from services.gateway.subjects.eraser import Eraser
from services.gateway.subjects.rows import create_subject
from tests.support.gateway.erasing import FailingStore, NoGenerator, insert_job, job_ids, subject_with_objects
from tests.support.gateway.receipts import issuer


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


async def test_an_erasure_is_not_complete_before_the_database_is_rewritten(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = FailingStore(0)
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0)
    await eraser.delete("acme", subject_with_objects(engine, store))

    def full(_: Engine) -> None:
        raise UnavailableError("DATABASE_UNAVAILABLE", "no room")

    with monkeypatch.context() as patch:
        patch.setattr("services.gateway.subjects.eraser.compact", full)
        await eraser.sweep()
        assert [each.is_erased for each in open_erasures(engine, grace_seconds=0)] == [True]
        assert "no erasure is completed" in caplog.text
    await eraser.sweep()
    assert open_erasures(engine, grace_seconds=0) == []


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
