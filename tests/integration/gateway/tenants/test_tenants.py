"""A key names its tenant, and a tenant sees nothing of another."""

from __future__ import annotations

from typing import Any

from headshots import keys, schema
from headshots.errors import (
    NotFoundError,
    UnauthenticatedError,
)
from headshots.v1 import galleries_pb2, photos_pb2, subjects_pb2, tenants_pb2, trainings_pb2
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.world import World


async def test_without_a_known_key_nothing_is_answered(world: World) -> None:
    key = world.keys["acme"]
    for caller, reason in (
        (world.caller(None), "API_KEY_MISSING"),
        (world.caller("hs_0011223344556677_nonsense"), "API_KEY_INVALID"),
        (world.caller(key[:-1]), "API_KEY_INVALID"),
    ):
        with refused(UnauthenticatedError, reason):
            await caller("GetTenant", tenants_pb2.GetTenantRequest())
        with refused(UnauthenticatedError, reason):
            await caller.upload("subjects/any", selfie(1))
        with refused(UnauthenticatedError, reason):
            async for _ in caller.stream(
                "WatchTraining", trainings_pb2.WatchTrainingRequest(name="subjects/a/trainings/b")
            ):
                pass
    keys.revoke_key(world.database, key.split("_")[1])
    with refused(UnauthenticatedError, "API_KEY_INVALID"):
        await world.acme("GetTenant", tenants_pb2.GetTenantRequest())


async def test_the_key_names_the_tenant(world: World) -> None:
    tenant = (await world.acme("GetTenant", tenants_pb2.GetTenantRequest())).tenant
    assert tenant.name == "tenants/acme"
    globex = await world.caller(world.keys["globex"])("GetTenant", tenants_pb2.GetTenantRequest())
    assert globex.tenant.name == "tenants/globex"


async def test_another_tenants_names_are_not_found(world: World) -> None:
    subject = await world.acme.trained_subject()
    gallery = await world.acme.gallery(subject, shots_per_style=1)
    await world.acme.finished_gallery(gallery)
    listed = await world.acme("ListTrainings", trainings_pb2.ListTrainingsRequest(parent=subject))
    training = listed.trainings[0].name
    before = [len(world.rows(table)) for table in schema.metadata.sorted_tables]
    stranger = world.caller(world.keys["globex"])
    calls: list[tuple[str, Any]] = [
        ("GetSubject", subjects_pb2.GetSubjectRequest(name=subject)),
        ("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject)),
        ("ListPhotos", photos_pb2.ListPhotosRequest(parent=subject)),
        ("CreateTraining", trainings_pb2.CreateTrainingRequest(parent=subject)),
        ("GetTraining", trainings_pb2.GetTrainingRequest(name=training)),
        ("ListTrainings", trainings_pb2.ListTrainingsRequest(parent=subject)),
        ("CancelTraining", trainings_pb2.CancelTrainingRequest(name=training)),
        ("CreateGallery", galleries_pb2.CreateGalleryRequest(parent=subject, styles=["styles/studio-navy-suit"])),
        ("GetGallery", galleries_pb2.GetGalleryRequest(name=gallery)),
        ("ListGalleries", galleries_pb2.ListGalleriesRequest(parent=subject)),
        ("CancelGallery", galleries_pb2.CancelGalleryRequest(name=gallery)),
        ("GetImage", galleries_pb2.GetImageRequest(name=f"{gallery}/images/0")),
    ]
    for method, request in calls:
        with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
            await stranger(method, request)
    for method, request in (
        ("WatchTraining", trainings_pb2.WatchTrainingRequest(name=training)),
        ("WatchGallery", galleries_pb2.WatchGalleryRequest(name=gallery)),
    ):
        with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
            async for _ in stranger.stream(method, request):
                pass
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await stranger.upload(subject, selfie(9))
    assert not (await stranger("ListSubjects", subjects_pb2.ListSubjectsRequest())).subjects
    assert [len(world.rows(table)) for table in schema.metadata.sorted_tables] == before


async def test_names_of_another_subject_of_the_same_tenant_are_not_found(world: World) -> None:
    subject, other = await world.acme.trained_subject(), await world.acme.subject()
    listed = await world.acme("ListTrainings", trainings_pb2.ListTrainingsRequest(parent=subject))
    wrong = listed.trainings[0].name.replace(subject, other)
    with refused(NotFoundError, "TRAINING_NOT_FOUND"):
        await world.acme("GetTraining", trainings_pb2.GetTrainingRequest(name=wrong))
