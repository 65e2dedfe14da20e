"""Gateways that erase at once leave one receipt of each subject, in one chain."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.artifacts import ArtifactStore
from headshots.database import write
from headshots.errors import HeadshotsError
from headshots.receipts.canonical import canonical
from headshots.receipts.signing import ReceiptKey
from headshots.receipts.verifying import read_public_keys, verify
from services.gateway.erasures import recording
from services.gateway.erasures.issuing import Issuer
from services.gateway.erasures.log import ErasureLog
from services.gateway.subjects import erasure
from services.gateway.tenants.ownership import lock_subject
from tests.support.gateway.erasures import assert_counted_once, receipts, run, subject_with_photos
from tests.support.gateway.receipts import issuer


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
