"""Whatever is done to a person is in the audit log, with the key that did it, and never what it was done with."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from headshots import keys, schema
from headshots.errors import HeadshotsError, UnavailableError
from headshots.v1 import galleries_pb2, photos_pb2, subjects_pb2, trainings_pb2
from services.gateway.erasures.log import ErasureLog
from services.gateway.subjects import erasure
from tests.support.consents import MESSAGE
from tests.support.gateway import shoots
from tests.support.gateway.audit import action_of, actions_of, events_of
from tests.support.gateway.caller import selfie
from tests.support.gateway.world import World
from tests.support.retention import IN_A_YEAR
from tests.support.waiting import until

BEGUN = ["SUBJECT_CREATED", "CONSENT_GIVEN"]
TRAINED = [*BEGUN, "PHOTOS_UPLOADED", "TRAINING_CREATED", "TRAINED"]
ERASED = ["SUBJECT_ERASED"]


async def told(world: World, subject: str, after: int = 0) -> list[tuple[str, str, int]]:
    """Actions on a subject after so many, with what they were done to below it and how often."""
    found = await events_of(world.acme, subject=subject)
    return [(action_of(each), each.resource.removeprefix(f"{subject}/"), each.count) for each in found[after:]]


async def test_creation_uploads_and_training(world: World) -> None:
    subject = await world.acme.subject()
    photos = await world.acme.upload(subject, *map(selfie, range(7)))
    await world.acme("DeletePhoto", photos_pb2.DeletePhotoRequest(name=photos[0].name))
    training = (await world.acme.create_training(subject)).name
    await world.acme.finished_training(training)
    mine = keys.id_of_key(world.keys["acme"])
    short = training.removeprefix(f"{subject}/")
    found = await events_of(world.acme)
    assert {event.subject for event in found} == {subject}
    assert [(action_of(event), event.key_id) for event in found] == [
        *((action, mine) for action in (*BEGUN, "PHOTOS_UPLOADED", "PHOTO_DELETED", "TRAINING_CREATED")),
        ("TRAINED", ""),
    ]
    assert (await told(world, subject))[2:] == [
        ("PHOTOS_UPLOADED", "", 7),
        ("PHOTO_DELETED", "", 1),
        ("TRAINING_CREATED", short, 1),
        ("TRAINED", short, 1),
    ]


async def test_what_is_refused_is_not_recorded(world: World) -> None:
    subject = await world.acme.subject()
    duplicate = selfie(1)
    for sent in ([duplicate, duplicate], [b"no photo"]):
        with pytest.raises(HeadshotsError, match="PHOTO"):
            await world.acme.upload(subject, *sent)
    assert await actions_of(world.acme) == BEGUN


async def test_painting_reading_and_deleting(world: World) -> None:
    await world.kill()
    await world.start(links_port=0)
    subject = await world.acme.trained_subject()
    gallery = await world.acme.gallery(subject, shots_per_style=2)
    await world.acme.finished_gallery(gallery)
    image = f"{gallery}/images/1"
    short, short_image = gallery.removeprefix(f"{subject}/"), image.removeprefix(f"{subject}/")
    painted = (await told(world, subject, len(TRAINED)))[1:]
    assert (await told(world, subject, len(TRAINED)))[0] == ("GALLERY_CREATED", short, 2)
    assert sorted(painted) == [("PAINTED", f"{short}/images/{number}", 1) for number in (0, 1)]
    before = len(TRAINED) + 3
    await world.acme("GetImage", galleries_pb2.GetImageRequest(name=image))
    request = galleries_pb2.WatchGalleryRequest(name=gallery, include_content=True)
    assert [each async for each in world.acme.stream("WatchGallery", request)]
    links = galleries_pb2.CreateImageLinksRequest(parent=gallery, images=[image])
    await world.acme("CreateImageLinks", links)
    training = (await events_of(world.acme, subject=subject))[3].resource
    files = trainings_pb2.DownloadTrainingFileRequest(name=training, file="TRAINING_FILE_ADAPTER")
    assert [piece async for piece in world.acme.stream("DownloadTrainingFile", files)]
    read = await told(world, subject, before)
    # What is read is written down every poll, so the two readings of the same image are one event or two.
    counts = {what: sum(count for *same, count in read if tuple(same) == what) for what in {each[:2] for each in read}}
    assert counts == {
        ("IMAGE_READ", short_image): 2,
        ("IMAGE_READ", f"{short}/images/0"): 1,
        ("LINK_CREATED", short_image): 1,
        ("TRAINING_FILE_READ", training.removeprefix(f"{subject}/")): 1,
    }
    before += len(read)
    await world.acme("DeleteImage", galleries_pb2.DeleteImageRequest(name=image))
    await world.acme("DeleteGallery", galleries_pb2.DeleteGalleryRequest(name=gallery))
    assert await told(world, subject, before) == [("IMAGE_DELETED", short_image, 1), ("GALLERY_DELETED", short, 1)]
    mine = keys.id_of_key(world.keys["acme"])
    assert {
        event.key_id for event in (await events_of(world.acme))[len(TRAINED) :] if action_of(event) != "PAINTED"
    } == {mine}


async def test_previews(world: World) -> None:
    subject = await world.acme.trained_subject()
    # Until a call asks for previews: one that began before the watcher had subscribed does not.
    world.generator.refusal = UnavailableError("STARTING", "try again")
    gallery = await world.acme.gallery(subject, shots_per_style=1)
    world.generator.hold()
    previews = 0
    request = galleries_pb2.WatchGalleryRequest(name=gallery, include_previews=True)
    async for event in world.acme.stream("WatchGallery", request):
        await until(lambda: any(each.preview_every for each in world.generator.requests))
        world.generator.refusal = None
        if event.HasField("preview"):
            previews += 1
            world.generator.permit()
    read = [each for each in await told(world, subject) if each[0] == "PREVIEW_READ"]
    assert {what for _, what, _ in read} == {f"{gallery.removeprefix(f'{subject}/')}/images/0"}
    assert sum(count for *_, count in read) == previews > 0


async def test_a_shoot_is_recorded_with_what_it_orders(world: World) -> None:
    await shoots.with_large_photos(world)
    subject = await shoots.person(world)
    shoot = await shoots.finished(world.acme, (await shoots.order(world.acme, subject, count=2)).name)
    done = await told(world, subject, 3)
    assert ("SHOOT_CREATED", shoot.name.removeprefix(f"{subject}/"), 1) in done
    assert ("GALLERY_CREATED", shoot.gallery.removeprefix(f"{subject}/"), 2) in done
    assert [action for action, *_ in done].count("PAINTED") >= 2
    # The gateway orders the gallery by itself, once the training has ended.
    whose = {action_of(event): event.key_id for event in await events_of(world.acme, subject=subject)}
    mine = keys.id_of_key(world.keys["acme"])
    assert [whose[action] for action in ("SHOOT_CREATED", "TRAINING_CREATED")] == [mine, mine]
    assert [whose[action] for action in ("GALLERY_CREATED", "PAINTED")] == ["", ""]


async def change(world: World, call: str, subject: str, **fields: Any) -> None:
    await world.acme(call, getattr(subjects_pb2, f"{call}Request")(name=subject, **fields))


async def test_consent_retention_and_each_way_to_be_erased(world: World) -> None:
    await world.kill()
    await world.start(erase_again_seconds=0.1)
    changed, withdrawn, expired = [await world.acme.subject() for _ in range(3)]
    await change(world, "GiveConsent", changed, consent=MESSAGE)
    await change(world, "ExtendRetention", changed, expire_time=IN_A_YEAR)
    await change(world, "HoldSubject", changed, reason="a dispute")
    await change(world, "ReleaseSubject", changed)
    await change(world, "DeleteSubject", changed)
    more = ["CONSENT_GIVEN", "RETENTION_EXTENDED", "SUBJECT_HELD", "SUBJECT_RELEASED", "SUBJECT_DELETED"]
    assert await actions_of(world.acme, subject=changed) == [*BEGUN, *more, *ERASED]
    await change(world, "WithdrawConsent", withdrawn)
    assert await actions_of(world.acme, subject=withdrawn) == [*BEGUN, "CONSENT_WITHDRAWN", *ERASED]
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.retentions).values(expires_at=1.0))
    await until(lambda: not world.rows(schema.subjects))
    found = await events_of(world.acme, subject=expired)
    assert [action_of(event) for event in found] == [*BEGUN, "SUBJECT_EXPIRED", *ERASED]
    # Nobody's key did that.
    assert [event.key_id for event in found[2:]] == ["", ""]


async def test_which_of_a_tenants_keys_did_it_is_told(world: World) -> None:
    other = keys.create_key(world.database, "acme")
    subject = await world.acme.subject()
    await world.caller(other).upload(subject, selfie(1))
    found = await events_of(world.acme)
    mine, others = keys.id_of_key(world.keys["acme"]), keys.id_of_key(other)
    assert [event.key_id for event in found] == [mine, mine, others]
    assert not any(key in repr(world.rows(schema.audit_events)) for key in (*world.keys.values(), other))


async def test_nothing_of_a_persons_own_is_in_the_log(world: World) -> None:
    named = {"display_name": "Ada Lovelace", "external_id": "crm-4711", "labels": {"team": "analytical"}}
    consent = subjects_pb2.Consent(
        statement_text="I agree.", statement_version="v7", reference="form-12", purposes=[1, 2]
    )
    subject = await world.acme.trained_subject(**named, consent=consent)
    await change(world, "HoldSubject", subject, reason="a dispute")
    gallery = await world.acme.gallery(subject, shots_per_style=1, external_id="gallery-99")
    await world.acme.finished_gallery(gallery)
    await world.acme("GetImage", galleries_pb2.GetImageRequest(name=f"{gallery}/images/0"))
    secret = ["Ada Lovelace", "crm-4711", "analytical", "I agree.", "v7", "form-12", "a dispute", "gallery-99"]
    secret += [row.sha256[:32] for row in world.rows(schema.photos)]
    secret += [row.image_key.rsplit("/", 1)[1][:32] for row in world.rows(schema.shots)]
    log = repr(await events_of(world.acme)) + repr(world.rows(schema.audit_events))
    assert "IMAGE_READ" in log
    assert [word for word in secret if word in log] == []


async def test_readings_are_written_when_a_gateway_stops(world: World) -> None:
    subject = await world.acme.trained_subject()
    gallery = await world.acme.gallery(subject, shots_per_style=1)
    await world.acme.finished_gallery(gallery)
    await world.kill()
    await world.start(poll_seconds=3600.0)
    for _ in range(3):
        await world.acme("GetImage", galleries_pb2.GetImageRequest(name=f"{gallery}/images/0"))
    assert "image_read" not in {row.action for row in world.rows(schema.audit_events)}
    await world.terminate()
    (read,) = [row for row in world.rows(schema.audit_events) if row.action == "image_read"]
    assert (read.count, read.key_id) == (3, keys.id_of_key(world.keys["acme"]))
    await world.start()


async def test_an_erasure_that_two_gateways_do_is_told_once(world: World) -> None:
    await world.kill()
    await world.start(erase_again_seconds=3600.0)
    subject = await world.acme.subject()
    for _ in range(2):
        erasure.mark_deleted(world.database, "acme", subject.split("/")[1])
    for _ in range(2):
        erasure.erase(world.database, world.store, ErasureLog(world.store), "acme", subject.split("/")[1])
    assert await actions_of(world.acme, subject=subject) == [*BEGUN, "SUBJECT_DELETED", *ERASED]
