"""Adapters and images go when their time has come, and their training and gallery stay."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.database import read, write
from headshots.errors import FailedPreconditionError, NotFoundError
from headshots.stores import tombstones
from services.gateway.erasures.log import ErasureLog
from services.gateway.galleries.images.listing import seconds_left
from services.gateway.galleries.orders.lookup import find_adapter
from services.gateway.galleries.rows import get_gallery, get_image
from services.gateway.retention import terms
from services.gateway.subjects import erasure
from services.gateway.subjects.parts import remove
from services.gateway.subjects.rows import get_subject
from services.gateway.tenants.rows import change_policy
from services.gateway.trainings.rows import check_adapter_kept, get_downloadable, get_training, newest_of_foundation
from tests.support.clocks import BEGINNING
from tests.support.gateway.queue import finish, order, take, trained_subject
from tests.unit.gateway.retention.conftest import NEAR, Place

ADAPTER_SHA256 = "ab" * 32


def trained(place: Place, **policy: int | None) -> tuple[str, str]:
    """Ids of a subject and of its training, which was delivered under this policy."""
    change_policy(place.engine, "acme", policy)
    subject = trained_subject(place.engine, "acme")
    training = f"training-{subject}"
    with write(place.engine) as connection:
        at = BEGINNING
        kept = terms.begin_from(connection, terms.Part.ADAPTER, subject, training, at)
        mine = schema.trainings.c.id == training
        connection.execute(sa.update(schema.trainings).where(mine).values(adapter_expires_at=kept, ended_at=at))
    for name in ("adapter.safetensors", "sheet.jpg"):
        place.store.put_sync(f"tenants/acme/subjects/{subject}/adapters/{training}/{name}", b"x")
    return subject, training


def test_an_adapter_goes_with_all_files_and_generators_are_told(place: Place) -> None:
    subject, training = trained(place, adapter_retention_seconds=3600)
    place.clock.set(BEGINNING + 3599)
    assert get_subject(place.engine, "acme", subject).adapter is not None
    place.clock.set(BEGINNING + 3601)
    assert get_subject(place.engine, "acme", subject).adapter is None, "of no use though nothing swept"
    with read(place.engine) as connection:
        for named in (None, (subject, training)):
            with pytest.raises(FailedPreconditionError, match="TRAINING_EXPIRED"):
                find_adapter(connection, subject, named)
        assert newest_of_foundation(connection, subject, "cd" * 32) is None
        with pytest.raises(FailedPreconditionError, match="TRAINING_EXPIRED"):
            check_adapter_kept(connection, subject, ADAPTER_SHA256)
    with pytest.raises(FailedPreconditionError, match="TRAINING_EXPIRED"):
        get_downloadable(place.engine, "acme", subject, training)
    lease = terms.claim_due(place.engine, owner="a", ttl_seconds=60.0)
    assert lease is not None
    removed = remove(place.engine, place.store, lease)
    assert removed is not None
    assert removed.adapter_sha256 == ADAPTER_SHA256
    (left,) = place.store.list_sync("")
    tombstone = tombstones.read_key(left)
    assert tombstone is not None
    assert tombstone.sha256 == ADAPTER_SHA256
    found = get_training(place.engine, "acme", subject, training)
    assert (found.job.state, found.job.adapter) == (schema.SUCCEEDED, None)
    with pytest.raises(FailedPreconditionError, match="TRAINING_EXPIRED"):
        get_downloadable(place.engine, "acme", subject, training)
    erasure.mark_deleted(place.engine, "acme", subject)
    erasure.erase(place.engine, place.store, ErasureLog(place.store), "acme", subject)


def test_an_adapter_stays_without_a_term_and_while_a_gallery_runs(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The time of this clock passes only when it is set.
    monkeypatch.setattr("tests.support.gateway.queue.let_time_pass", lambda _engine: None)
    kept, _ = trained(place)
    subject, _ = trained(place, adapter_retention_seconds=3600)
    order(place.engine, "acme", subject, 1)
    place.clock.set(BEGINNING + 3601)
    assert place.sweep() == [False]
    finish(place.engine, take(place.engine))
    place.clock.set(BEGINNING + 3700)
    assert place.sweep() == [True]
    assert get_subject(place.engine, "acme", kept).adapter is not None


def test_images_of_a_gallery_go_so_long_after_its_end(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.gateway.queue.let_time_pass", lambda _engine: None)
    subject, _ = trained(place, image_retention_seconds=3600)
    gallery = order(place.engine, "acme", subject, 1)
    finish(place.engine, take(place.engine))
    for key in ("key", f"tenants/acme/subjects/{subject}/images/unrecorded.png"):
        place.store.put_sync(key, b"x")
    found = get_gallery(place.engine, "acme", subject, gallery)
    assert found.images_expire_at == pytest.approx(BEGINNING + 3600, abs=NEAR)
    assert len(found.images) == 1
    assert seconds_left(place.engine, gallery) in (3599, 3600)
    place.clock.set(BEGINNING + 3601)
    assert get_gallery(place.engine, "acme", subject, gallery).images == (), "of no use though nothing swept"
    with pytest.raises(NotFoundError, match="IMAGE_NOT_FOUND"):
        get_image(place.engine, "acme", subject, gallery, 0)
    assert place.sweep() == [True]
    assert [key for key in place.store.list_sync("") if "/adapters/" not in key] == []
    found = get_gallery(place.engine, "acme", subject, gallery)
    assert (found.state, found.completed_shots, found.accepted_shots) == (schema.SUCCEEDED, 1, 1)
    assert get_subject(place.engine, "acme", subject).adapter is not None


def test_a_sweep_reads_what_is_due_and_no_table_through(place: Place) -> None:
    with read(place.engine) as connection:
        statement = terms.due_query(connection).compile(connection, compile_kwargs={"literal_binds": True})
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]
    assert any("ix_terms_expires_at_id" in step and "expires_at<?" in step for step in plan), plan
    assert not [step for step in plan if step.startswith("USE TEMP") or step == "SCAN terms"], plan
