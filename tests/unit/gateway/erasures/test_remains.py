"""What is left of a subject keeps its receipt from being signed."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.artifacts import ArtifactStore
from headshots.database import write
from headshots.errors import FailedPreconditionError
from headshots.receipts import absence
from services.gateway.erasures import issuing
from services.gateway.erasures.commitments import commit
from services.gateway.erasures.log import ErasureLog
from services.gateway.erasures.models import StoreClass
from services.gateway.marks.rows import record_mark
from services.gateway.subjects import erasure
from tests.support.gateway.erasures import assert_counted_once, receipts, run, subject_with_photos
from tests.support.gateway.receipts import issuer


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
