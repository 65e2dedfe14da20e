"""Tenants, keys, subjects, styles and metrics through real gRPC."""

from __future__ import annotations

import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from headshots import keys, schema
from headshots.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    UnauthenticatedError,
)
from headshots.v1 import galleries_pb2, photos_pb2, styles_pb2, subjects_pb2, tenants_pb2, trainings_pb2
from services.gateway.api.pages import encode_token
from services.gateway.subjects import erasure
from tests.support.gateway_world import World, opened_world, refused, selfie
from tests.support.waiting import until


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened_world(tmp_path) as world:
        yield world


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


async def test_a_subject_is_made_with_defaults_and_found(world: World) -> None:
    request = subjects_pb2.CreateSubjectRequest(display_name="Ada")
    made = (await world.acme("CreateSubject", request)).subject
    assert (made.display_name, made.class_noun, made.photo_count) == ("Ada", "person", 0)
    assert not made.HasField("adapter")
    assert (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=made.name))).subject == made


async def test_the_same_request_id_makes_one_subject_a_tenant(world: World) -> None:
    first = await world.acme.subject(request_id="r1", display_name="Ada")
    assert await world.acme.subject(request_id="r1") == first
    assert await world.acme.subject(request_id="r2") != first
    assert await world.caller(world.keys["globex"]).subject(request_id="r1") != first
    assert len(world.rows(schema.subjects)) == 3


async def test_pages_hold_every_subject_once_newest_first(world: World) -> None:
    names = [await world.acme.subject() for _ in range(7)]
    listed: list[subjects_pb2.Subject] = []
    token, sizes = "", []
    while True:
        page = await world.acme("ListSubjects", subjects_pb2.ListSubjectsRequest(page_size=3, page_token=token))
        listed += page.subjects
        sizes.append(len(page.subjects))
        token = page.next_page_token
        if not token:
            break
        await world.acme.subject()  # newer than the page: shifts nothing
    assert sizes == [3, 3, 1]
    assert sorted(subject.name for subject in listed) == sorted(names)
    times = [subject.create_time.ToNanoseconds() for subject in listed]
    assert times == sorted(times, reverse=True)
    for token in ("nonsense", "W10", "WzEsMl0", "é"):
        with refused(InvalidArgumentError, "PAGE_TOKEN_INVALID"):
            await world.acme("ListSubjects", subjects_pb2.ListSubjectsRequest(page_token=token))
    for position in ((1e999, "a"), (float("nan"), "a"), (1.0, "\0"), (1.0, "\ud800")):
        with refused(InvalidArgumentError, "PAGE_TOKEN_INVALID"):
            await world.acme("ListSubjects", subjects_pb2.ListSubjectsRequest(page_token=encode_token(position)))
    for number in (10**30, -(10**30), 2**63):
        request = photos_pb2.ListPhotosRequest(parent=names[0], page_token=encode_token((number,)))
        with refused(InvalidArgumentError, "PAGE_TOKEN_INVALID"):
            await world.acme("ListPhotos", request)


async def test_names_may_hold_anything_but_nul(world: World) -> None:
    name = "Ada \u00c5ngstr\u00f6m\n\u2603 \U0001f642"
    made = (await world.acme("CreateSubject", subjects_pb2.CreateSubjectRequest(display_name=name))).subject
    assert made.display_name == name


async def test_constraints_of_the_contract_are_enforced(world: World) -> None:
    for method, request, field in (
        ("CreateSubject", subjects_pb2.CreateSubjectRequest(class_noun="Mr. 7"), "class_noun"),
        ("CreateSubject", subjects_pb2.CreateSubjectRequest(request_id="a b"), "request_id"),
        ("CreateSubject", subjects_pb2.CreateSubjectRequest(display_name="A\0da"), "display_name"),
        ("GetSubject", subjects_pb2.GetSubjectRequest(name="people/1"), "name"),
        ("ListSubjects", subjects_pb2.ListSubjectsRequest(page_size=1001), "page_size"),
    ):
        with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED") as caught:
            await world.acme(method, request)
        assert [violation.field for violation in caught.value.violations] == [field]


async def test_erasing_a_subject_leaves_nothing(world: World) -> None:
    kept = await world.acme.trained_subject()
    erased = await world.acme.trained_subject(display_name="Ada", request_id="r1")
    await world.kill()
    await world.start(erase_again_seconds=1e6)
    for subject in (kept, erased):
        await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=2))
    adapter = (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=erased))).subject.adapter
    mine = await world.store.list(f"tenants/acme/{kept}")
    gone = await world.store.list(f"tenants/acme/{erased}")
    assert len(gone) == 6 + 1 + 2
    answer = await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=erased))
    assert answer.deleted_objects == len(gone)
    assert await world.store.list("tenants") == mine
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=erased))
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=erased))
    left = [(row.id, row.erased_at is None, row.display_name) for row in world.rows(schema.subjects)]
    assert sorted(left) == sorted([(kept.split("/")[1], True, ""), (erased.split("/")[1], False, "")])
    assert len(world.rows(schema.shots)) == 2
    assert len(world.rows(schema.photos)) == 6
    assert len(world.rows(schema.trainings)) == len(world.rows(schema.galleries)) == 1
    assert world.generator.evicted == [adapter.sha256]
    assert await world.acme.subject(request_id="r1") != erased


async def test_a_subject_with_running_work_is_not_erased(world: World) -> None:
    subject = await world.acme.trained_subject()
    world.generator.hold()
    gallery = await world.acme.gallery(subject, shots_per_style=1)
    with refused(FailedPreconditionError, "SUBJECT_BUSY") as caught:
        await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    assert caught.value.metadata["name"] == gallery
    world.generator.permit()
    await world.acme.finished_gallery(gallery)
    world.trainer.go.clear()
    training = (await world.acme("CreateTraining", trainings_pb2.CreateTrainingRequest(parent=subject))).training.name
    with refused(FailedPreconditionError, "SUBJECT_BUSY") as caught:
        await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    assert caught.value.metadata["name"] == training
    assert (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))).subject.photo_count == 6


async def test_an_erasure_cut_in_two_is_finished_by_the_next_start(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(3)))
    erasure.mark_deleted(world.database, "acme", subject.split("/")[1])
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))
    assert not (await world.acme("ListSubjects", subjects_pb2.ListSubjectsRequest())).subjects
    await world.kill()
    await world.start()
    assert world.rows(schema.photos) == []
    assert await world.store.list("tenants") == []


async def test_what_a_generator_still_stored_is_removed_with_the_subjects_row(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, selfie(1))
    await world.kill()
    await world.start(erase_again_seconds=1e6)
    await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    await world.store.put(f"tenants/acme/{subject}/images/late.png", b"late")
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))
    await world.kill()
    await world.start(erase_again_seconds=0.1)
    await until(lambda: not world.rows(schema.subjects))
    assert await world.store.list("tenants") == []


async def test_styles_are_listed_by_page_and_found(world: World) -> None:
    whole = (await world.acme("ListStyles", styles_pb2.ListStylesRequest())).styles
    assert len(whole) >= 8
    assert [style.name for style in whole] == sorted(style.name for style in whole)
    page = await world.acme("ListStyles", styles_pb2.ListStylesRequest(page_size=5))
    rest = await world.acme("ListStyles", styles_pb2.ListStylesRequest(page_token=page.next_page_token))
    assert [*page.styles, *rest.styles] == list(whole)
    assert rest.next_page_token == ""
    style = (await world.acme("GetStyle", styles_pb2.GetStyleRequest(name="styles/studio-navy-suit"))).style
    assert (style.outfit, style.version) == ("navy suit", 1)
    with refused(NotFoundError, "STYLE_NOT_FOUND"):
        await world.acme("GetStyle", styles_pb2.GetStyleRequest(name="styles/none"))


async def test_metrics_tell_of_uploads_and_shots_and_of_no_tenant(world: World) -> None:
    subject = await world.acme.trained_subject()
    await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=3))
    with pytest.raises(InvalidArgumentError):
        await world.acme.upload(subject, b"not an image")
    assert world.gateway is not None
    url = f"http://127.0.0.1:{world.gateway.server.metrics_port}/metrics"

    def scrape() -> str:
        with urllib.request.urlopen(url) as answer:
            return str(answer.read().decode())

    lines = (
        "headshots_gateway_shots_in_flight 0.0",
        'headshots_gateway_uploads_total{status="stored"} 1.0',
        'headshots_gateway_uploads_total{status="refused"} 1.0',
        'headshots_gateway_refused_uploads_total{reason="PHOTO_UNDECODABLE"} 1.0',
        "headshots_gateway_photos_total 6.0",
        'headshots_gateway_shots_total{status="succeeded"} 3.0',
        'headshots_gateway_galleries{state="running"} 0.0',
        'headshots_gateway_trainings{state="pending"} 0.0',
        'headshots_gateway_shots_rows{state="pending"} 0.0',
        "headshots_gateway_shot_seconds_count 3.0",
        'headshots_gateway_watchers{resource="gallery"} 0.0',
    )
    # Some are written a moment after the caller has its answer.
    await until(lambda: set(lines) <= set(scrape().splitlines()))
    text = scrape()
    # Of rows that ended there are ever more; they are not counted.
    assert 'state="succeeded"' not in text
    assert 'grpc_type="client_stream"' in text
    assert "acme" not in text
    assert subject.split("/")[1] not in text


async def test_health_needs_no_key(world: World) -> None:
    assert world.gateway is not None
    async with grpc.aio.insecure_channel(f"127.0.0.1:{world.gateway.server.port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service="headshots.v1.SubjectService"))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
