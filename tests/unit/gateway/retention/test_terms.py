"""Photos, adapters and images go so long after a delivery as is said of them, by a clock that the test sets."""

from __future__ import annotations

import hashlib

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.database import read
from headshots.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError
from headshots.leases import LeaseLostError
from services.gateway.api.labels import LabellingChange
from services.gateway.erasures.log import ErasureLog
from services.gateway.photos.removing import check_not_expired, delete_photo
from services.gateway.photos.rows import label_photo, photo_refs, reference_keys
from services.gateway.photos.storing import photo_key
from services.gateway.retention import terms
from services.gateway.retention.models import OwnTerms
from services.gateway.subjects import erasure
from services.gateway.subjects.parts import PartSweep, remove
from services.gateway.subjects.rows import get_subject, hold_subject, release_subject
from services.gateway.tenants.rows import change_policy
from tests.support.clocks import BEGINNING
from tests.support.gateway.erasing import NoGenerator
from tests.unit.gateway.retention.conftest import NEAR, Place


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


async def test_a_clock_that_jumps_while_a_sweep_leases_removes_nothing(place: Place) -> None:
    subject = place.subject("a", own=OwnTerms(photo_seconds=3600))
    place.deliver(subject)
    place.clock.set(BEGINNING + 3601)
    parts = PartSweep(place.engine, place.store, NoGenerator(), owner="g")

    async def trusts_clock() -> bool:
        return trusted

    trusted = False
    await parts.sweep(trusts_clock)
    assert len(place.store.list_sync("tenants")) == 1
    with read(place.engine) as connection:
        assert connection.execute(sa.select(schema.terms.c.state)).scalars().all() == [schema.PENDING]
    trusted = True
    await parts.sweep(trusts_clock)
    assert place.store.list_sync("tenants") == []


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
