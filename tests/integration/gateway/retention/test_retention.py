"""Subjects have a time, which moves with deliveries and by calls; past it nothing can be done with them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.errors import FailedPreconditionError, HeadshotsError, InvalidArgumentError, NotFoundError
from headshots.v1 import galleries_pb2, jobs_pb2, photos_pb2, subjects_pb2, tenants_pb2, trainings_pb2
from tests.support.consents import MESSAGE
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.world import World
from tests.support.waiting import until

DAY = 86400


async def get(world: World, subject: str) -> subjects_pb2.Subject:
    found = (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))).subject
    assert isinstance(found, subjects_pb2.Subject)
    return found


def expire(world: World) -> None:
    """As if the time of every subject had come."""
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.retentions).values(expires_at=1.0))


async def extend(world: World, subject: str, seconds: float) -> subjects_pb2.Subject:
    request = subjects_pb2.ExtendRetentionRequest(name=subject)
    request.expire_time.FromDatetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds))
    answer = (await world.acme("ExtendRetention", request)).subject
    assert isinstance(answer, subjects_pb2.Subject)
    return answer


async def test_a_subject_tells_its_time_and_is_extended(world: World) -> None:
    (tenant,) = [(await world.acme("GetTenant", tenants_pb2.GetTenantRequest())).tenant]
    assert tenant.retention_seconds == 30 * DAY
    subject = await world.acme.subject()
    made = await get(world, subject)
    assert made.expire_time.seconds - made.create_time.seconds in (30 * DAY, 30 * DAY + 1)
    own = await get(world, await world.acme.subject(retention_seconds=3600))
    assert own.expire_time.seconds - own.create_time.seconds in (3600, 3601)
    extended = await extend(world, subject, 90 * DAY)
    assert extended.expire_time.seconds > made.expire_time.seconds + 59 * DAY
    assert (await get(world, subject)).expire_time == extended.expire_time


async def test_a_delivered_gallery_moves_it(world: World) -> None:
    subject = await world.acme.trained_subject()
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.retentions).values(expires_at=schema.retentions.c.expires_at - 29 * DAY))
    before = (await get(world, subject)).expire_time.seconds
    await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    assert (await get(world, subject)).expire_time.seconds >= before + 28 * DAY


@pytest.mark.parametrize("seconds", [-60.0, 29 * DAY, 401 * DAY])
async def test_a_time_that_cannot_be_is_refused(seconds: float, world: World) -> None:
    subject = await world.acme.subject()
    with refused(InvalidArgumentError, "RETENTION_INVALID") as caught:
        await extend(world, subject, seconds)
    assert [each.field for each in caught.value.violations] == ["expire_time"]


@pytest.mark.parametrize(
    ("call", "request_"),
    [
        ("ExtendRetention", subjects_pb2.ExtendRetentionRequest()),
        ("ExtendRetention", subjects_pb2.ExtendRetentionRequest(expire_time={"seconds": 10**12})),  # type: ignore[arg-type]
        ("HoldSubject", subjects_pb2.HoldSubjectRequest()),
        ("HoldSubject", subjects_pb2.HoldSubjectRequest(reason="x" * 257)),
        ("HoldSubject", subjects_pb2.HoldSubjectRequest(reason="\0")),
    ],
)
async def test_what_breaks_a_constraint_is_refused(call: str, request_: Any, world: World) -> None:
    request_.name = await world.acme.subject()
    with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
        await world.acme(call, request_)


@pytest.mark.parametrize(
    ("seconds", "reason"), [(-1, "CONSTRAINT_VIOLATED"), (1, "RETENTION_INVALID"), (34560001, "CONSTRAINT_VIOLATED")]
)
async def test_a_subject_is_made_for_an_hour_to_400_days(seconds: int, reason: str, world: World) -> None:
    with refused(InvalidArgumentError, reason) as caught:
        await world.acme.subject(retention_seconds=seconds)
    assert [each.field for each in caught.value.violations] == ["retention_seconds"]
    assert world.rows(schema.subjects) == []


async def test_past_its_time_nothing_can_be_done_with_it(world: World) -> None:
    await world.kill()
    await world.start(erase_again_seconds=3600.0)
    subject = await world.acme.trained_subject(request_id="r1")
    gallery = await world.acme.gallery(subject, shots_per_style=1)
    await world.acme.finished_gallery(gallery)
    expire(world)
    calls: list[tuple[str, Any]] = [
        ("GetSubject", subjects_pb2.GetSubjectRequest(name=subject)),
        ("UpdateSubject", subjects_pb2.UpdateSubjectRequest(name=subject, display_name="B")),
        ("GiveConsent", subjects_pb2.GiveConsentRequest(name=subject, consent=MESSAGE)),
        ("HoldSubject", subjects_pb2.HoldSubjectRequest(name=subject, reason="a dispute")),
        ("ListPhotos", photos_pb2.ListPhotosRequest(parent=subject)),
        ("CreateTraining", trainings_pb2.CreateTrainingRequest(parent=subject)),
        ("CreateGallery", galleries_pb2.CreateGalleryRequest(parent=subject, styles=["styles/studio-navy-suit"])),
        ("GetImage", galleries_pb2.GetImageRequest(name=f"{gallery}/images/0")),
    ]
    for name, request in calls:
        with refused(FailedPreconditionError, "SUBJECT_EXPIRED") as caught:
            await world.acme(name, request)
        assert caught.value.metadata["name"] == subject
    with refused(FailedPreconditionError, "SUBJECT_EXPIRED"):
        await world.acme.upload(subject, selfie(50))
    with pytest.raises(HeadshotsError, match="SUBJECT_EXPIRED"):
        await extend(world, subject, 60 * DAY)
    assert not (await world.acme("ListSubjects", subjects_pb2.ListSubjectsRequest())).subjects
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await world.caller(world.keys["globex"])("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))
    await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    assert await world.store.list("tenants") == []


async def test_what_runs_is_stopped_and_all_is_erased_without_a_call(world: World) -> None:
    await world.kill()
    await world.start(erase_again_seconds=0.1)
    subject = await world.acme.trained_subject()
    world.generator.hold()
    painted = len(world.generator.requests)
    await world.acme.gallery(subject, shots_per_style=9)
    await until(lambda: len(world.generator.requests) > painted)
    world.trainer.go.clear()
    await world.acme.create_training(subject)
    await until(lambda: any(row.state == schema.RUNNING for row in world.rows(schema.trainings)))
    expire(world)
    await until(lambda: not world.rows(schema.subjects))
    assert [world.rows(table) for table in (schema.retentions, schema.galleries, schema.trainings)] == [[], [], []]
    assert await world.store.list("tenants") == []


async def test_a_waiting_training_and_shot_do_not_begin(world: World) -> None:
    await world.kill()
    await world.start(erase_again_seconds=3600.0, shots_in_flight=1)
    subject = await world.acme.trained_subject()
    world.generator.hold()
    painted = len(world.generator.requests)
    await world.acme.gallery(subject, shots_per_style=2)
    await until(lambda: len(world.generator.requests) > painted)
    world.trainer.begins.clear()
    await world.acme.create_training(subject)
    expire(world)
    await until(lambda: any(row.state == schema.FAILED for row in world.rows(schema.trainings)))
    (failed,) = [row for row in world.rows(schema.trainings) if row.state == schema.FAILED]
    assert failed.job["failure"]["reason"] == "SUBJECT_EXPIRED"
    world.generator.permit()
    await until(lambda: world.rows(schema.galleries)[0].state == schema.FAILED)
    reasons = {row.failure_reason for row in world.rows(schema.shots) if row.state == schema.FAILED}
    assert reasons == {"SUBJECT_EXPIRED"}


async def test_a_training_in_a_trainers_queue_ends_when_the_time_comes(world: World) -> None:
    await world.kill()
    await world.start(erase_again_seconds=3600.0)
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    world.trainer.begins.clear()
    await world.acme.create_training(subject)
    await until(lambda: world.rows(schema.trainings)[0].submitted)
    expire(world)
    await until(lambda: world.rows(schema.trainings)[0].state == schema.FAILED)
    assert world.rows(schema.trainings)[0].job["failure"]["reason"] == "SUBJECT_EXPIRED"
    (job,) = world.trainer.jobs.values()
    await until(lambda: job.state == jobs_pb2.JOB_STATE_CANCELLED)
    assert job.step == 0


async def test_a_hold_stops_the_clock_and_deletion_but_no_withdrawal(world: World) -> None:
    await world.kill()
    await world.start(erase_again_seconds=0.1)
    subject, other = await world.acme.subject(), await world.acme.subject()
    for each in (subject, other):
        held = subjects_pb2.HoldSubjectRequest(name=each, reason="a dispute")
        assert (await world.acme("HoldSubject", held)).subject.hold.reason == "a dispute"
    expire(world)
    assert (await get(world, subject)).hold.HasField("hold_time")
    with refused(FailedPreconditionError, "SUBJECT_HELD") as caught:
        await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    assert "a dispute" in caught.value.message
    await world.acme("WithdrawConsent", subjects_pb2.WithdrawConsentRequest(name=other))
    await until(lambda: len(world.rows(schema.subjects)) == 1)
    released = await world.acme("ReleaseSubject", subjects_pb2.ReleaseSubjectRequest(name=subject))
    assert not released.subject.HasField("hold")
    await until(lambda: not world.rows(schema.subjects))
