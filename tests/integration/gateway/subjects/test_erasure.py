"""An erased subject leaves neither rows nor objects, whatever interrupts the erasure."""

from __future__ import annotations

from headshots import schema
from headshots.errors import (
    FailedPreconditionError,
    NotFoundError,
)
from headshots.v1 import subjects_pb2
from services.gateway.subjects import erasure
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.world import World
from tests.support.waiting import until


async def test_erasing_a_subject_leaves_nothing(world: World) -> None:
    kept = await world.acme.trained_subject()
    erased = await world.acme.trained_subject(display_name="Ada", request_id="r1", labels={"a": "b"}, external_id="c")
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
    assert [(row.labels, row.external_id) for row in world.rows(schema.subjects)] == [({}, "")] * 2
    assert {row.request_parameters for row in world.rows(schema.subjects)} == {None}
    assert sorted(left) == sorted([(kept.split("/")[1], True, ""), (erased.split("/")[1], False, "")])
    assert len(world.rows(schema.shots)) == 2
    assert len(world.rows(schema.photos)) == 6
    assert len(world.rows(schema.trainings)) == len(world.rows(schema.galleries)) == 1
    await until(lambda: world.generator.evicted == [adapter.sha256])
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
    training = (await world.acme.create_training(subject)).name
    with refused(FailedPreconditionError, "SUBJECT_BUSY") as caught:
        await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    assert caught.value.metadata["name"] == training
    assert (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))).subject.photo_count == 6


async def test_an_interrupted_erasure_is_finished_by_the_next_start(world: World) -> None:
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


async def test_an_image_stored_during_the_erasure_is_removed_with_the_subjects_row(world: World) -> None:
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


async def test_a_frozen_generator_holds_no_erasure_up(world: World) -> None:
    subject = await world.acme.trained_subject()
    adapter = (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))).subject.adapter
    world.generator.answers_evictions.clear()
    await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    assert world.generator.evicted == [], "it has not answered"
    assert await world.store.list("tenants") == []
    (tombstone,) = await world.store.list("erased/adapters")
    assert adapter.sha256 in tombstone
    world.generator.answers_evictions.set()
    await until(lambda: world.generator.evicted == [adapter.sha256])
