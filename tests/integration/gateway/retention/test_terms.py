"""Photos go after a delivery where the tenant or the subject says so, and never while a job needs them."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError
from headshots.v1 import galleries_pb2, jobs_pb2, photos_pb2, subjects_pb2, tenants_pb2, trainings_pb2
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.judging import good, paints, sitter
from tests.support.gateway.receipts import commitments_of
from tests.support.gateway.shoots import STYLES, finished, order, person, with_large_photos
from tests.support.gateway.world import World
from tests.support.images.pictures import files
from tests.support.waiting import until

DAY = 86400


async def set_policy(world: World, *paths: str, tenant: str = "acme", **fields: Any) -> tenants_pb2.Tenant:
    request = tenants_pb2.UpdateTenantRequest(update_mask={"paths": list(paths or fields)}, **fields)  # type: ignore[arg-type]
    answer = (await world.caller(world.keys[tenant])("UpdateTenant", request)).tenant
    assert isinstance(answer, tenants_pb2.Tenant)
    return answer


async def get(world: World, subject: str) -> subjects_pb2.Subject:
    found = (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))).subject
    assert isinstance(found, subjects_pb2.Subject)
    return found


def photo_objects(world: World) -> list[Any]:
    return world.rows(schema.photos)


async def test_a_tenant_sets_its_own_policy_and_no_others(world: World) -> None:
    changed = await set_policy(world, retention_seconds=3600, photo_retention_seconds=0)
    assert (changed.retention_seconds, changed.photo_retention_seconds) == (3600, 0)
    assert changed.HasField("photo_retention_seconds")
    changed = await set_policy(world, "photo_retention_seconds", retention_seconds=7200)
    assert (changed.retention_seconds, changed.HasField("photo_retention_seconds")) == (3600, False)
    told = (await world.acme("GetTenant", tenants_pb2.GetTenantRequest())).tenant
    assert told == changed
    subject = await get(world, await world.acme.subject())
    assert subject.expire_time.seconds - subject.create_time.seconds in (3600, 3601)
    assert (await set_policy(world, "retention_seconds")).retention_seconds == 30 * DAY
    globex = await world.caller(world.keys["globex"])("GetTenant", tenants_pb2.GetTenantRequest())
    assert (globex.tenant.retention_seconds, globex.tenant.HasField("photo_retention_seconds")) == (30 * DAY, False)


@pytest.mark.parametrize(
    ("paths", "fields", "reason", "field"),
    [
        (["retention_seconds"], {"retention_seconds": 3599}, "CONSTRAINT_VIOLATED", "retention_seconds"),
        (["retention_seconds"], {"retention_seconds": 34560001}, "CONSTRAINT_VIOLATED", "retention_seconds"),
        (["photo_retention_seconds"], {"photo_retention_seconds": 60}, "RETENTION_INVALID", "photo_retention_seconds"),
        (["consent_required"], {}, "UPDATE_MASK_INVALID", "update_mask"),
        (["*"], {"retention_seconds": 3600}, "UPDATE_MASK_INVALID", "update_mask"),
        ([], {"retention_seconds": 3600}, "UPDATE_MASK_INVALID", "update_mask"),
    ],
)
async def test_a_policy_that_cannot_be_is_refused(
    paths: list[str], fields: dict[str, int], reason: str, field: str, world: World
) -> None:
    request = tenants_pb2.UpdateTenantRequest(update_mask={"paths": paths}, **fields)  # type: ignore[arg-type]
    with refused(InvalidArgumentError, reason) as caught:
        await world.acme("UpdateTenant", request)
    assert [each.field for each in caught.value.violations] == [field]
    if field != "update_mask":
        assert re.search(r"\b3600 \(an hour\).* 34560000 \(400 days\)", caught.value.message)
    told = (await world.acme("GetTenant", tenants_pb2.GetTenantRequest())).tenant
    assert (told.retention_seconds, told.consent_required) == (30 * DAY, True)


async def test_photos_go_with_the_adapter_and_what_needs_them_says_so(world: World) -> None:
    await world.kill()
    await world.start(erase_again_seconds=0.1)
    subject = await world.acme.trained_subject(photo_retention_seconds=0)
    await until(lambda: not photo_objects(world))
    keys = await world.store.list("tenants")
    assert [key for key in keys if "/photos/" in key] == []
    assert keys, "the adapter stays"
    told = await get(world, subject)
    assert (told.photo_count, told.HasField("adapter"), told.HasField("photo_expire_time")) == (0, True, True)
    with refused(FailedPreconditionError, "PHOTOS_MISSING") as caught:
        await world.acme.create_training(subject)
    assert caught.value.metadata["name"] == subject
    # Nothing is judged on this gateway, so nothing is refused for it.
    gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    assert gallery.state == jobs_pb2.JOB_STATE_SUCCEEDED
    # As new ones: another training learns from them, and they go with its adapter.
    await world.acme.upload(subject, *map(selfie, range(6)))
    listed = (await world.acme("ListPhotos", photos_pb2.ListPhotosRequest(parent=subject))).photos
    assert [each.HasField("expire_time") for each in listed] == [False] * 6
    await world.acme.finished_training((await world.acme.create_training(subject)).name)
    await until(lambda: not photo_objects(world))


async def test_a_photo_tells_its_time_after_a_delivery(world: World) -> None:
    await set_policy(world, photo_retention_seconds=7 * DAY)
    subject = await world.acme.trained_subject()
    listed = (await world.acme("ListPhotos", photos_pb2.ListPhotosRequest(parent=subject))).photos
    (expires_at,) = {each.expire_time.seconds for each in listed}
    assert expires_at == (await get(world, subject)).photo_expire_time.seconds
    (training,) = world.rows(schema.trainings)
    assert expires_at - training.ended_at == pytest.approx(7 * DAY, abs=2)
    (late,) = await world.acme.upload(subject, selfie(6))
    assert not late.HasField("expire_time")
    await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    listed = (await world.acme("ListPhotos", photos_pb2.ListPhotosRequest(parent=subject))).photos
    assert listed[-1].expire_time.seconds >= expires_at
    assert {each.expire_time.seconds for each in listed[:-1]} == {expires_at}


async def test_without_photos_nothing_is_judged_and_only_who_allows_it_gets_a_gallery(world: World) -> None:
    subject = await sitter(world, erase_again_seconds=0.1)
    paints(world, range(9))
    gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    assert gallery.guarantee == galleries_pb2.GUARANTEE_MET
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.photos).values(expires_at=1.0))
        connection.execute(sa.update(schema.retentions).values(photos_expire_at=1.0))
    image = galleries_pb2.RegenerateImageRequest(name=f"{gallery.name}/images/0")
    with refused(FailedPreconditionError, "PHOTOS_MISSING"):
        await world.acme("RegenerateImage", image)
    with refused(FailedPreconditionError, "PHOTOS_MISSING"):
        await world.acme.gallery(subject, shots_per_style=1, validate_only=True)
    with refused(FailedPreconditionError, "PHOTOS_MISSING"):
        await order(world.acme, subject, 1)
    with world.database.begin() as connection:
        connection.execute(sa.delete(schema.photos))
    image.allow_unjudged = True
    again = (await world.acme("RegenerateImage", image)).gallery.name
    for name in (again, await world.acme.gallery(subject, shots_per_style=1, allow_unjudged=True)):
        made = await world.acme.finished_gallery(name)
        assert (made.state, made.guarantee) == (jobs_pb2.JOB_STATE_SUCCEEDED, galleries_pb2.GUARANTEE_NOT_MEASURED)
    shoot = await finished(world.acme, (await order(world.acme, subject, 1, allow_unjudged=True)).name)
    assert shoot.guarantee == galleries_pb2.GUARANTEE_NOT_MEASURED
    with refused(FailedPreconditionError, "PHOTOS_MISSING"):
        await order(world.acme, subject, 1, allow_unjudged=True, retrain=True)


async def test_a_shoot_is_judged_against_photos_that_go_when_it_has_ended(world: World) -> None:
    world = await with_large_photos(world, analyzer=True, erase_again_seconds=0.1)
    await set_policy(world, photo_retention_seconds=0)
    subject = await world.acme.subject()
    await world.acme.upload(subject, *files(range(100, 107), "ada"))
    paints(world, range(100), good)
    world.generator.hold()
    shoot = await order(world.acme, subject, 2, styles=STYLES[:1], max_tries=1)
    # While it is painted, calls see no photo any more, and no sweep removes one.
    await until(lambda: len(world.generator.requests) > 0)
    assert (await get(world, subject)).photo_count == 0
    assert len(photo_objects(world)) == 7
    with refused(FailedPreconditionError, "PHOTOS_MISSING"):
        await world.acme("CreateTraining", trainings_pb2.CreateTrainingRequest(parent=subject))
    world.generator.permit()
    ended = await finished(world.acme, shoot.name)
    assert (ended.guarantee, ended.delivered) == (galleries_pb2.GUARANTEE_MET, 2)
    # What a job needed is looked at again when the lease of the sweep has run out.
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.terms).values(lease_expires_at=1.0))
    await until(lambda: not photo_objects(world))
    assert not [key for key in await world.store.list("tenants") if "/photos/" in key]


async def test_an_adapter_of_before_its_other_files_were_told_goes_too(world: World) -> None:
    await world.kill()
    await world.start(erase_again_seconds=0.1)
    await set_policy(world, adapter_retention_seconds=3600)
    subject = await world.acme.trained_subject()
    (row,) = world.rows(schema.trainings)
    job = {name: value for name, value in row.job.items() if name != "others"}
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.trainings).values(job=job))
        connection.execute(sa.update(schema.terms).values(expires_at=1.0))
    await until(lambda: not world.rows(schema.terms))
    told = await world.acme.get_training(f"{subject}/trainings/{row.id}")
    assert (told.state, told.HasField("adapter")) == (jobs_pb2.JOB_STATE_SUCCEEDED, False)


async def test_an_adapter_goes_and_its_training_and_subject_stay(world: World) -> None:
    await world.kill()
    await world.start(erase_again_seconds=0.1)
    world.trainer.sheet = b"a sheet"
    await set_policy(world, adapter_retention_seconds=3600)
    subject = await world.acme.trained_subject()
    gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    (row,) = world.rows(schema.trainings)
    name = f"{subject}/trainings/{row.id}"
    told = await world.acme.get_training(name)
    assert told.adapter_expire_time.seconds - told.end_time.seconds in (3600, 3601)
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.trainings).values(adapter_expires_at=1.0))
    calls: list[tuple[str, Any]] = [
        ("CreateGallery", galleries_pb2.CreateGalleryRequest(parent=subject, styles=["styles/studio-navy-suit"])),
        ("RegenerateImage", galleries_pb2.RegenerateImageRequest(name=f"{gallery.name}/images/0")),
    ]
    for call, request in calls:
        with refused(FailedPreconditionError, "TRAINING_EXPIRED"):
            await world.acme(call, request)
    with refused(FailedPreconditionError, "TRAINING_EXPIRED"):
        async for _ in world.acme.stream(
            "DownloadTrainingFile",
            trainings_pb2.DownloadTrainingFileRequest(name=name, file=trainings_pb2.TRAINING_FILE_ADAPTER),
        ):
            pass
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.terms).values(expires_at=1.0))
    await until(lambda: not world.rows(schema.terms))
    told = await world.acme.get_training(name)
    assert (told.state, told.HasField("adapter")) == (jobs_pb2.JOB_STATE_SUCCEEDED, False)
    assert "adapters" not in {each.store_class for each in await commitments_of(world.acme, subject)}
    (left,) = world.rows(schema.trainings)
    assert (left.job["adapter"], left.job["others"]) == (None, [])
    found = await get(world, subject)
    assert (found.HasField("adapter"), found.photo_count) == (False, 6)
    await until(lambda: world.generator.evicted == [row.job["adapter"]["sha256"]])
    again = await world.acme.finished_training((await world.acme.create_training(subject)).name)
    assert (await get(world, subject)).adapter == again.adapter


async def test_images_go_and_their_gallery_and_subject_stay(world: World) -> None:
    await world.kill()
    await world.start(erase_again_seconds=0.1)
    await set_policy(world, image_retention_seconds=3600)
    subject = await world.acme.trained_subject()
    name = await world.acme.gallery(subject, shots_per_style=2)
    gallery = await world.acme.finished_gallery(name)
    assert gallery.images_expire_time.seconds - gallery.end_time.seconds in (3600, 3601)
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.galleries).values(images_expire_at=1.0))
    with refused(NotFoundError, "IMAGE_NOT_FOUND"):
        await world.acme("GetImage", galleries_pb2.GetImageRequest(name=gallery.images[0].name))
    listed = await world.acme("ListImages", galleries_pb2.ListImagesRequest(parent=name))
    assert list(listed.images) == []
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.terms).values(expires_at=1.0))
    await until(lambda: not world.rows(schema.terms))
    assert [key for key in await world.store.list("tenants") if "/images/" in key] == []
    gone = (await world.acme("GetGallery", galleries_pb2.GetGalleryRequest(name=name))).gallery
    assert (gone.state, gone.completed_shots, list(gone.images)) == (jobs_pb2.JOB_STATE_SUCCEEDED, 2, [])
    assert (await get(world, subject)).HasField("adapter")


async def test_those_that_end_soon_are_listed_the_first_first(world: World) -> None:
    made = [await world.acme.subject(retention_seconds=3600 * hours, external_id="e") for hours in (3, 1, 2, 48, 1)]
    await world.caller(world.keys["globex"]).subject(retention_seconds=3600)
    await world.acme("HoldSubject", subjects_pb2.HoldSubjectRequest(name=made[4], reason="a dispute"))
    with world.database.begin() as connection:
        last = sa.update(schema.retentions).where(schema.retentions.c.id == made[1].removeprefix("subjects/"))
        connection.execute(last.values(expires_at=1.0))
    again = await world.acme.subject(retention_seconds=3600)
    request = subjects_pb2.ListSubjectsRequest(page_size=1)
    request.expire_before_time.FromDatetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1))
    found = []
    for _ in range(3):
        page = await world.acme("ListSubjects", request)
        found += [each.name for each in page.subjects]
        request.page_token = page.next_page_token
    assert (found, request.page_token) == ([again, made[2], made[0]], "")
    request.external_id = "e"
    assert [each.name for each in (await world.acme("ListSubjects", request)).subjects] == [made[2]]
    token = (await world.acme("ListSubjects", subjects_pb2.ListSubjectsRequest(page_size=1))).next_page_token
    request.page_token = token
    with refused(InvalidArgumentError, "PAGE_TOKEN_INVALID"):
        await world.acme("ListSubjects", request)


async def test_a_quote_tells_that_a_shoot_would_end_too_late(world: World) -> None:
    world = await with_large_photos(world)
    subject = await person(world)
    await finished(world.acme, (await order(world.acme, subject, 1)).name)
    assert not (await order(world.acme, subject, 1, validate_only=True)).quote.beyond_expiry
    with world.database.begin() as connection:
        slow = sa.update(schema.galleries).values(started_at=schema.galleries.c.ended_at - 40 * DAY)
        connection.execute(slow)
    await world.acme("HoldSubject", subjects_pb2.HoldSubjectRequest(name=subject, reason="a dispute"))
    assert not (await order(world.acme, subject, 1, validate_only=True)).quote.beyond_expiry
    await world.acme("ReleaseSubject", subjects_pb2.ReleaseSubjectRequest(name=subject))
    late = await order(world.acme, subject, 1)
    assert late.quote.beyond_expiry
    assert (await finished(world.acme, late.name)).quote.beyond_expiry, "it is as it was when it was ordered"
