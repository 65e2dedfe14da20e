"""An erasure ends in one receipt, which says what was erased and nothing of whom."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.errors import NotFoundError
from headshots.receipts.merkle import root
from headshots.receipts.verifying import FIRST, verify
from headshots.v1 import erasures_pb2, galleries_pb2, photos_pb2, subjects_pb2
from services.gateway.subjects import erasure
from tests.support.gateway.caller import Caller, refused, selfie
from tests.support.gateway.receipts import commitments_of, erasures_of, keys_of, signed
from tests.support.gateway.world import World
from tests.support.waiting import until


@pytest.fixture
async def quick(world: World) -> World:
    """Its gateway completes erasures at once."""
    await world.kill()
    await world.start(erase_again_seconds=0.1)
    return world


async def deleted(caller: Caller, subject: str) -> str:
    """Erases a subject; the name of its erasure."""
    answer = await caller("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    return str(answer.erasure)


def of_class(document: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (each for each in document["classes"] if each["class"] == name)
    return dict(found)


async def test_a_receipt_says_what_was_erased_and_nothing_of_whom(quick: World) -> None:
    quick.trainer.sheet = b"a sheet"
    subject = await quick.acme.trained_subject(display_name="Ada")
    await quick.acme.finished_gallery(await quick.acme.gallery(subject, shots_per_style=2))
    await quick.store.put(f"tenants/acme/{subject}/images/stray.png", b"stray")
    told = (await quick.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))).subject
    noted = await commitments_of(quick.acme, subject)
    found = await signed(quick.acme, await deleted(quick.acme, subject))
    document = json.loads(found.receipt)
    for name, count in (("photos", 6), ("adapters", 2), ("images", 2)):
        mine = [each for each in noted if each.store_class == name]
        assert of_class(document, name) == {
            "class": name,
            "count": count,
            "bytes": sum(each.size_bytes for each in mine),
            "root": root(each.commitment for each in mine),
        }
    assert document["uncommitted"] == [{"class": "images", "count": 1, "bytes": 5}]
    assert document["subject"] == found.subject_commitment == told.erasure_commitment
    assert len(told.erasure_commitment) == 64
    assert (document["trigger"], document["policy"]) == ("REQUEST", {"retention_seconds": 2592000, "set_by": "TENANT"})
    assert (document["number"], document["previous"], document["exceptions"]) == (1, FIRST, [])
    assert document["requested_at"] <= document["erased_at"] <= document["verified"]["listed_at"]
    assert "photos" in document["verified"]["tables"]
    assert verify({"it": found.receipt.encode()}, await keys_of(quick.acme)).is_whole
    assert hashlib.sha256(found.receipt.encode()).hexdigest() == found.receipt_sha256
    identifying = [subject.split("/")[1], "Ada", told.adapter.sha256, *(each.object_sha256 for each in noted)]
    assert [word for word in identifying if word in found.receipt] == []
    assert [row for row in quick.rows(schema.commitments) if row.subject_id == subject.split("/")[1]] == []
    (row,) = quick.rows(schema.erasures)
    assert (row.subject_id, row.salt, row.seen) == (None, None, None)


async def test_generators_that_forgot_the_adapter_are_told(quick: World) -> None:
    found = await signed(quick.acme, await deleted(quick.acme, await quick.acme.trained_subject()))
    replicas = json.loads(found.receipt)["replicas"]
    assert (len(replicas["confirmed"]), replicas["silent"]) == (1, [])
    assert str(quick.generator_port) not in replicas["confirmed"][0], "no address"
    quick.generator.answers_evictions.clear()
    name = await deleted(quick.acme, await quick.acme.trained_subject())
    await until(lambda: any(row.replicas for row in quick.rows(schema.erasures) if row.id == name.split("/")[1]))
    silent = json.loads((await signed(quick.acme, name)).receipt)["replicas"]
    assert silent == {"confirmed": [], "silent": replicas["confirmed"]}
    quick.generator.answers_evictions.set()


async def test_only_the_tenants_own_are_told(quick: World) -> None:
    globex = quick.caller(quick.keys["globex"])
    name = await deleted(quick.acme, await quick.acme.subject())
    await signed(quick.acme, name)
    with refused(NotFoundError, "ERASURE_NOT_FOUND"):
        await globex("GetErasureReceipt", erasures_pb2.GetErasureReceiptRequest(name=name))
    assert await erasures_of(globex) == []
    assert [each.name for each in await erasures_of(quick.acme)] == [name]


async def test_receipts_of_a_tenant_are_a_chain_and_a_subjects_is_found_by_what_was_noted(quick: World) -> None:
    subjects = [await quick.acme.subject() for _ in range(3)]
    noted = [
        (await quick.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=each))).subject.erasure_commitment
        for each in subjects
    ]
    names = [await deleted(quick.acme, each) for each in subjects]
    receipts = [await signed(quick.acme, name) for name in names]
    files = {each.name: each.receipt.encode() for each in receipts}
    assert sorted(each.number for each in receipts) == [1, 2, 3]
    assert verify(files, await keys_of(quick.acme)).is_whole
    assert [each.name for each in await erasures_of(quick.acme, subject_commitment=noted[1])] == [names[1]]
    other = await quick.caller(quick.keys["globex"]).subject()
    globex = await signed(quick.caller(quick.keys["globex"]), await deleted(quick.caller(quick.keys["globex"]), other))
    assert globex.number == 1, "each tenant has a chain of its own"


async def test_the_trigger_is_told(quick: World) -> None:
    withdrawn, expired = await quick.acme.subject(), await quick.acme.subject(retention_seconds=7200)
    answer = await quick.acme("WithdrawConsent", subjects_pb2.WithdrawConsentRequest(name=withdrawn))
    assert (await signed(quick.acme, answer.erasure)).trigger == erasures_pb2.ERASURE_TRIGGER_CONSENT_WITHDRAWN
    asked = (await quick.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=expired))).subject.erasure_commitment
    with quick.database.begin() as connection:
        its = schema.retentions.c.id == expired.split("/")[1]
        connection.execute(sa.update(schema.retentions).where(its).values(expires_at=1.0))
    await until(lambda: len(quick.rows(schema.subjects)) == 0)
    (one,) = await erasures_of(quick.acme, subject_commitment=asked)
    assert one.trigger == erasures_pb2.ERASURE_TRIGGER_EXPIRY
    assert json.loads(one.receipt)["policy"] == {"retention_seconds": 7200, "set_by": "SUBJECT"}


async def test_what_is_deleted_alone_takes_its_commitment_with_it(quick: World) -> None:
    subject = await quick.acme.trained_subject()
    gallery = await quick.acme.gallery(subject, shots_per_style=2)
    await quick.acme.finished_gallery(gallery)
    (photo, *_) = (await quick.acme("ListPhotos", photos_pb2.ListPhotosRequest(parent=subject))).photos
    await quick.acme("DeletePhoto", photos_pb2.DeletePhotoRequest(name=photo.name))
    await quick.acme("DeleteImage", galleries_pb2.DeleteImageRequest(name=f"{gallery}/images/0"))
    left = [each.store_class for each in await commitments_of(quick.acme, subject)]
    assert sorted(left) == ["adapters", "images", *["photos"] * 5, "subject"]
    await quick.acme("DeleteGallery", galleries_pb2.DeleteGalleryRequest(name=gallery))
    assert "images" not in {each.store_class for each in await commitments_of(quick.acme, subject)}
    document = json.loads((await signed(quick.acme, await deleted(quick.acme, subject))).receipt)
    assert of_class(document, "photos")["count"] == 5
    assert document["exceptions"] == []


async def test_a_picture_that_is_painted_twice_is_committed_to_once(quick: World) -> None:
    subject = await quick.acme.trained_subject()
    for _ in range(2):
        await quick.acme.finished_gallery(await quick.acme.gallery(subject, shots_per_style=1, seed=7))
    assert len(quick.rows(schema.shots)) == 2
    images = [each for each in await commitments_of(quick.acme, subject) if each.store_class == "images"]
    assert len(images) == len(await quick.store.list(f"tenants/acme/{subject}/images")) == 1


async def test_backups_are_waited_for_as_the_operator_states(world: World) -> None:
    await world.kill()
    await world.start(erase_again_seconds=0.1, backup_horizon_days=30)
    found = await signed(world.acme, await deleted(world.acme, await world.acme.subject()))
    assert found.state == erasures_pb2.ERASURE_STATE_PENDING_BACKUPS
    assert found.backups_end_time.seconds - found.sign_time.seconds == 30 * 86400
    assert json.loads(found.receipt)["backups"]["horizon_days"] == 30
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.erasures).values(backups_until=1.0))
    (found,) = await erasures_of(world.acme)
    assert found.state == erasures_pb2.ERASURE_STATE_COMPLETE


async def test_receipts_of_before_a_change_of_the_key_are_checked_with_the_old_one(quick: World) -> None:
    first = await signed(quick.acme, await deleted(quick.acme, await quick.acme.subject()))
    (old,) = await keys_of(quick.acme)
    await quick.kill()
    await quick.start(erase_again_seconds=0.1, receipt_key=quick.folder / "new-key.pem")
    second = await signed(quick.acme, await deleted(quick.acme, await quick.acme.subject()))
    files = {each.name: each.receipt.encode() for each in (first, second)}
    served = await keys_of(quick.acme)
    assert (len(served), verify(files, served).is_whole) == (2, True)
    assert not verify(files, [old]).is_whole
    await quick.kill()
    await quick.start()
    assert len(await keys_of(quick.acme)) == 2, "one that comes back is the same key"


async def test_before_it_is_signed_it_is_pending(world: World) -> None:
    await world.kill()
    await world.start(erase_again_seconds=1e6)
    name = await deleted(world.acme, await world.acme.subject())
    (found,) = await erasures_of(world.acme)
    assert (found.name, found.state, found.receipt) == (name, erasures_pb2.ERASURE_STATE_PENDING, "")
    assert found.HasField("erase_time")
    assert not found.HasField("sign_time")


async def test_what_an_older_gateway_does_is_told_as_an_exception(quick: World) -> None:
    subject = await quick.acme.subject()
    await quick.acme.upload(subject, selfie(1))
    with quick.database.begin() as connection:
        connection.execute(sa.delete(schema.commitments))
    lacking = json.loads((await signed(quick.acme, await deleted(quick.acme, subject))).receipt)
    assert (lacking["subject"], lacking["classes"]) == (None, [])
    assert [each["class"] for each in lacking["uncommitted"]] == ["photos"]
    assert [each["reason"] for each in lacking["exceptions"]] == ["SUBJECT_UNCOMMITTED"]
    begun = await quick.acme.subject()
    with quick.database.begin() as connection:
        mine = schema.subjects.c.id == begun.split("/")[1]
        connection.execute(sa.update(schema.subjects).where(mine).values(deleting=True))
    await until(lambda: len(quick.rows(schema.subjects)) == 0)
    late = json.loads((await erasures_of(quick.acme))[-1].receipt)
    assert [each["reason"] for each in late["exceptions"]] == ["RECORDED_LATE"]
    assert late["trigger"] == "UNKNOWN"


async def test_one_that_an_older_gateway_has_ended_has_a_receipt_too(quick: World) -> None:
    subject = await quick.acme.subject()
    await quick.kill()
    erasure_id, _ = erasure.mark_deleted(quick.database, "acme", subject.split("/")[1])
    with quick.database.begin() as connection:
        for table in (schema.consents, schema.retentions, schema.commitments, schema.subjects):
            connection.execute(sa.delete(table))
    await quick.start(erase_again_seconds=0.1)
    assert (await signed(quick.acme, f"erasures/{erasure_id}")).number == 1


async def test_objects_that_were_lost_before_are_told(quick: World) -> None:
    subject = await quick.acme.subject()
    await quick.acme.upload(subject, selfie(1), selfie(2))
    (key, _) = await quick.store.list(f"tenants/acme/{subject}")
    await quick.store.delete(key)
    document = json.loads((await signed(quick.acme, await deleted(quick.acme, subject))).receipt)
    assert of_class(document, "photos")["count"] == 2
    assert document["exceptions"] == [{"reason": "OBJECTS_MISSING", "count": 1}]
