"""Photos, adapters and images go so long after a delivery as is said of them, by a clock that the test sets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from obstore.store import MemoryStore
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.artifacts import ArtifactStore
from headshots.database import read, write
from headshots.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError
from headshots.leases import LeaseLostError
from headshots.stores import tombstones
from services.gateway.api.labels import NO_LABELS, LabellingChange
from services.gateway.api.requests import IdempotencyKey
from services.gateway.erasures.log import ErasureLog
from services.gateway.galleries.images.listing import seconds_left
from services.gateway.galleries.orders.lookup import find_adapter
from services.gateway.galleries.rows import get_gallery, get_image
from services.gateway.photos.removing import begin_times, check_not_expired, delete_photo
from services.gateway.photos.rows import label_photo, list_photos, photo_refs, reference_keys
from services.gateway.photos.storing import photo_key, store_photos
from services.gateway.retention import terms
from services.gateway.retention.models import NO_TERMS, OwnTerms
from services.gateway.subjects import erasure
from services.gateway.subjects.parts import remove
from services.gateway.subjects.rows import create_subject, get_subject, hold_subject, release_subject
from services.gateway.tenants.rows import change_policy
from services.gateway.trainings.rows import check_adapter_kept, get_downloadable, get_training, newest_of_foundation
from tests.support.clocks import BEGINNING, SqliteClock, open_with_clock
from tests.support.deploy.tables import make_tables
from tests.support.gateway.queue import finish, order, take, trained_subject
from tests.unit.gateway.photos.test_rows import spooled

DAY = 86400.0
NEAR = 0.01
"""As precise as the clock is."""


@dataclass(frozen=True)
class Place:
    """A gateway's database, whose clock the test sets, and its store."""

    engine: Engine
    clock: SqliteClock
    store: ArtifactStore
    folder: Path

    def subject(self, *photos: str, own: OwnTerms = NO_TERMS) -> str:
        """A subject of acme with these photos."""
        key = IdempotencyKey()
        made = create_subject(self.engine, "acme", display_name="", class_noun="", key=key, own_terms=own).id
        self.upload(made, *photos)
        return made

    def upload(self, subject: str, *photos: str) -> None:
        store_photos(self.engine, self.store, "acme", subject, spooled(self.folder, *photos))

    def deliver(self, subject: str, *, adapter: bool = True) -> None:
        with write(self.engine) as connection:
            begin_times(connection, subject, anew=adapter)

    def photos(self, subject: str) -> list[tuple[str, float | None]]:
        """Which photos calls see, and when their time comes, in seconds from the beginning on."""
        listed, _ = list_photos(self.engine, "acme", subject, NO_LABELS, 50, "")
        return [(each.sha256, None if each.expires_at is None else each.expires_at - BEGINNING) for each in listed]

    def claim(self, owner: str = "a") -> str | None:
        lease = terms.claim_due(self.engine, owner=owner, ttl_seconds=60.0)
        return lease and lease.id

    def sweep(self) -> list[bool]:
        """Removes all that is due; whether it did, of each."""
        done = []
        while (lease := terms.claim_due(self.engine, owner="a", ttl_seconds=60.0)) is not None:
            done.append(remove(self.engine, self.store, lease) is not None)
        return done

    def rows(self, table: sa.Table) -> int:
        with read(self.engine) as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    engine, clock = open_with_clock(f"sqlite:///{tmp_path / 'a.db'}")
    make_tables(engine)
    keys.create_tenant(engine, "acme")
    yield Place(engine, clock, ArtifactStore(MemoryStore()), tmp_path)
    engine.dispose()


def test_photos_stay_unless_somebody_says_otherwise(place: Place) -> None:
    subject = place.subject("a")
    place.deliver(subject)
    assert place.photos(subject) == [("up-a", None)]
    assert get_subject(place.engine, "acme", subject).retention.photos_expire_at is None
    assert place.rows(schema.terms) == 0


def test_they_go_as_the_tenant_or_the_subject_says_after_a_delivery(place: Place) -> None:
    change_policy(place.engine, "acme", {"photo_retention_seconds": 7200})
    usual, own, none = place.subject("a"), place.subject("a", own=OwnTerms(photo_seconds=0)), place.subject()
    assert place.photos(usual) == [("up-a", None)]
    for each in (usual, own, none):
        place.deliver(each)
    assert place.photos(usual) == [("up-a", pytest.approx(7200, abs=NEAR))]
    expires_at = get_subject(place.engine, "acme", usual).retention.photos_expire_at
    assert expires_at == pytest.approx(BEGINNING + 7200, abs=NEAR)
    assert (place.photos(own), place.photos(none)) == ([], [])
    change_policy(place.engine, "acme", {"photo_retention_seconds": None})
    later = place.subject("a")
    place.deliver(later)
    assert place.photos(later) == [("up-a", None)]


@pytest.mark.parametrize("seconds", [-1, 1, 3599, 400 * 86400 + 1])
def test_a_time_that_cannot_be_is_refused(seconds: int, place: Place) -> None:
    with pytest.raises(InvalidArgumentError, match="photo_retention_seconds"):
        place.subject(own=OwnTerms(photo_seconds=seconds))
    with pytest.raises(InvalidArgumentError, match="photo_retention_seconds"):
        change_policy(place.engine, "acme", {"photo_retention_seconds": seconds})


def test_past_their_time_they_are_of_no_use_though_nothing_swept(place: Place) -> None:
    subject = place.subject("a", "b", own=OwnTerms(photo_seconds=3600))
    place.deliver(subject)
    with read(place.engine) as connection:
        check_not_expired(connection, subject)
    place.clock.set(BEGINNING + 3601)
    assert place.photos(subject) == []
    assert get_subject(place.engine, "acme", subject).photo_count == 0
    with pytest.raises(NotFoundError, match="PHOTO_NOT_FOUND"):
        label_photo(place.engine, "acme", subject, "up-a", LabellingChange({"a": "b"}))
    with pytest.raises(NotFoundError, match="PHOTO_NOT_FOUND"):
        delete_photo(place.engine, place.store, "acme", subject, "up-a", lambda *_: None)
    with read(place.engine) as connection:
        assert photo_refs(connection, subject) == ()
        with pytest.raises(FailedPreconditionError, match="PHOTOS_MISSING"):
            check_not_expired(connection, subject)
    assert len(reference_keys(place.engine, "acme", subject)) == 2, "a running gallery is judged against them"
    place.clock.set(BEGINNING)
    assert len(place.photos(subject)) == 2, "the clock was wrong"


def test_they_are_removed_with_their_objects_and_it_is_recorded(place: Place) -> None:
    subject = place.subject("a", "b", own=OwnTerms(photo_seconds=3600))
    place.deliver(subject)
    assert place.sweep() == []
    place.clock.set(BEGINNING + 3601)
    assert place.sweep() == [True]
    assert (place.store.list_sync("tenants"), place.rows(schema.photos), place.rows(schema.terms)) == ([], 0, 0)
    with read(place.engine) as connection:
        expired = schema.audit_events.c.action == "photos_expired"
        (event,) = connection.execute(sa.select(schema.audit_events).where(expired)).all()
        with pytest.raises(FailedPreconditionError, match="PHOTOS_MISSING"):
            check_not_expired(connection, subject)
    assert (event.subject_id, event.count, event.key_id) == (subject, 2, "")


def test_a_photo_that_comes_after_a_delivery_goes_after_the_next_one(place: Place) -> None:
    subject = place.subject("a", own=OwnTerms(photo_seconds=3600))
    place.deliver(subject)
    place.clock.set(BEGINNING + 1800)
    place.upload(subject, "b")
    place.deliver(subject, adapter=False)
    assert place.photos(subject) == [
        ("up-a", pytest.approx(3600, abs=NEAR)),
        ("up-b", pytest.approx(5400, abs=NEAR)),
    ]
    place.clock.set(BEGINNING + 3601)
    assert place.sweep() == [True]
    assert [name for name, _ in place.photos(subject)] == ["up-b"]
    assert place.store.list_sync("tenants") == [photo_key("acme", subject, hashlib.sha256(b"b").hexdigest())]
    place.clock.set(BEGINNING + 5401)
    assert place.sweep() == [True]
    assert place.store.list_sync("tenants") == []


def test_another_adapter_keeps_all_of_them_anew(place: Place) -> None:
    subject = place.subject("a", own=OwnTerms(photo_seconds=3600))
    place.deliver(subject)
    place.clock.set(BEGINNING + 1800)
    place.deliver(subject)
    place.clock.set(BEGINNING + 3601)
    assert place.sweep() == []
    assert place.photos(subject) == [("up-a", pytest.approx(5400, abs=NEAR))]


def test_one_that_comes_again_is_as_new(place: Place) -> None:
    subject = place.subject("a", "b", own=OwnTerms(photo_seconds=0))
    place.deliver(subject)
    place.upload(subject, "a")
    assert place.photos(subject) == [("up-a", None)]
    assert place.sweep() == [True]
    assert place.photos(subject) == [("up-a", None)]
    assert place.store.list_sync("tenants") == [photo_key("acme", subject, hashlib.sha256(b"a").hexdigest())]


def test_a_hold_keeps_them_from_being_removed(place: Place) -> None:
    subject = place.subject("a", own=OwnTerms(photo_seconds=0))
    hold_subject(place.engine, "acme", subject, "a dispute")
    place.deliver(subject)
    assert place.sweep() == [False]
    assert (place.photos(subject), len(place.store.list_sync("tenants"))) == ([], 1)
    release_subject(place.engine, "acme", subject)
    assert place.sweep() == [], "it is looked at again when the lease has run out"
    place.clock.set(BEGINNING + 61)
    assert place.sweep() == [True]
    assert place.store.list_sync("tenants") == []


def test_one_gateway_removes_them_and_another_one_after_its_lease(place: Place) -> None:
    subject = place.subject("a", own=OwnTerms(photo_seconds=3600))
    place.deliver(subject)
    assert place.claim() is None
    place.clock.set(BEGINNING + 3601)
    frozen = terms.claim_due(place.engine, owner="a", ttl_seconds=60.0)
    assert frozen is not None
    assert place.claim("b") is None
    place.clock.set(BEGINNING + 3700)
    assert place.claim("b") == f"photos-{subject}"
    with pytest.raises(LeaseLostError):
        remove(place.engine, place.store, frozen)
    assert len(place.store.list_sync("tenants")) == 1


def test_a_delivery_since_it_was_leased_is_heard(place: Place) -> None:
    subject = place.subject("a", own=OwnTerms(photo_seconds=3600))
    place.deliver(subject)
    place.clock.set(BEGINNING + 3599)
    # A clock that another gateway saw run ahead.
    place.clock.set(BEGINNING + 3601)
    lease = terms.claim_due(place.engine, owner="a", ttl_seconds=60.0)
    assert lease is not None
    place.clock.set(BEGINNING + 3599)
    place.deliver(subject)
    with pytest.raises(LeaseLostError):
        remove(place.engine, place.store, lease)
    assert len(place.photos(subject)) == 1


def test_of_an_erased_subject_nothing_is_left_to_remove(place: Place) -> None:
    subject = place.subject("a", own=OwnTerms(photo_seconds=3600))
    place.deliver(subject)
    erasure.mark_deleted(place.engine, "acme", subject)
    erasure.erase(place.engine, place.store, ErasureLog(place.store), "acme", subject)
    assert place.rows(schema.terms) == 0


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
