"""Nobody is trained or painted who did not agree: when work is ordered, and again when it begins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from headshots import keys, schema
from headshots.errors import FailedPreconditionError
from headshots.v1 import galleries_pb2, jobs_pb2, subjects_pb2, tenants_pb2
from tests.support.consents import MESSAGE
from tests.support.contract import CALLS, inputs
from tests.support.gateway import shoots
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.inspections import LARGE_PHOTOS
from tests.support.gateway.world import World, opened_world
from tests.support.waiting import until

TRAINING, PAINTING = subjects_pb2.CONSENT_PURPOSE_TRAINING, subjects_pb2.CONSENT_PURPOSE_PAINTING
Order = Callable[..., Awaitable[object]]
MADE = (schema.trainings, schema.galleries, schema.shots, schema.shoots)


async def give(world: World, subject: str, *purposes: subjects_pb2.ConsentPurpose) -> None:
    consent = subjects_pb2.Consent()
    consent.CopyFrom(MESSAGE)
    if purposes:
        consent.purposes[:] = purposes
    await world.acme("GiveConsent", subjects_pb2.GiveConsentRequest(name=subject, consent=consent))


def expire(world: World) -> None:
    """Lets all consents run out a second ago."""
    with world.database.begin() as connection:
        now = sa.select(schema.consents.c.recorded_at).limit(1).scalar_subquery()
        connection.execute(sa.update(schema.consents).values(expires_at=now - 1.0))


def take_away(world: World) -> None:
    """As if nobody had agreed to anything."""
    with world.database.begin() as connection:
        connection.execute(sa.delete(schema.consents))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened_world(tmp_path, **LARGE_PHOTOS) as world:
        yield world


@pytest.fixture
async def subject(world: World) -> str:
    """A subject with an adapter and a finished gallery."""
    subject = await shoots.person(world)
    assert (await world.acme.finished_training((await world.acme.create_training(subject)).name)).HasField("adapter")
    await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1, request_id="before"))
    return subject


async def order(world: World, subject: str, call: str, *, validate_only: bool = False) -> None:
    """One of the calls that train or paint."""
    if call == "CreateTraining":
        await world.acme.create_training(subject, validate_only=validate_only)
    elif call == "CreateGallery":
        await world.acme.gallery(subject, shots_per_style=1, validate_only=validate_only)
    elif call == "RegenerateImage":
        (gallery,) = (row.id for row in world.rows(schema.galleries))
        image = f"{subject}/galleries/{gallery}/images/0"
        request = galleries_pb2.RegenerateImageRequest(name=image, validate_only=validate_only)
        await world.acme("RegenerateImage", request)
    else:
        retrain = call == "CreateShoot, training"
        await shoots.order(world.acme, subject, validate_only=validate_only, retrain=retrain)


PAINTS = ("CreateGallery", "RegenerateImage", "CreateShoot", "CreateShoot, training")
TRAINS = ("CreateTraining", "CreateShoot, training")
ORDERS = (*PAINTS, "CreateTraining")


@pytest.mark.parametrize("call", ORDERS)
async def test_nothing_is_ordered_without_a_consent_that_holds(call: str, world: World, subject: str) -> None:
    before = [len(world.rows(table)) for table in MADE]
    take_away(world)
    for reason in ("CONSENT_MISSING", "CONSENT_EXPIRED"):
        for validate_only in (True, False):
            with refused(FailedPreconditionError, reason) as caught:
                await order(world, subject, call, validate_only=validate_only)
            assert caught.value.metadata["name"] == subject
            assert "GiveConsent" in caught.value.message
        assert [len(world.rows(table)) for table in MADE] == before
        await give(world, subject)
        expire(world)
    # What was made before is still answered.
    assert await world.acme.gallery(subject, shots_per_style=1, request_id="before")
    await give(world, subject)
    await order(world, subject, call, validate_only=True)


@pytest.mark.parametrize(
    ("given", "refusing"), [(TRAINING, PAINTS), (PAINTING, TRAINS)], ids=["training alone", "painting alone"]
)
async def test_a_consent_covers_its_purposes_alone(
    given: subjects_pb2.ConsentPurpose, refusing: tuple[str, ...], world: World, subject: str
) -> None:
    await give(world, subject, given)
    for call in ORDERS:
        if call in refusing:
            with refused(FailedPreconditionError, "CONSENT_MISSING") as caught:
                await order(world, subject, call, validate_only=True)
            assert "does not cover" in caught.value.message
        else:
            await order(world, subject, call, validate_only=True)


async def test_only_the_operator_waives_it_and_for_one_tenant(world: World, subject: str) -> None:
    take_away(world)

    async def required(tenant: str) -> bool:
        answer = await world.caller(world.keys[tenant])("GetTenant", tenants_pb2.GetTenantRequest())
        return bool(answer.tenant.consent_required)

    assert [await required(tenant) for tenant in ("acme", "globex")] == [True, True]
    keys.set_consent_required(world.database, "globex", required=False)
    with refused(FailedPreconditionError, "CONSENT_MISSING"):
        await order(world, subject, "CreateGallery")
    keys.set_consent_required(world.database, "acme", required=False)
    assert [await required(tenant) for tenant in ("acme", "globex")] == [False, False]
    for call in ORDERS:
        await order(world, subject, call, validate_only=True)
    await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    keys.set_consent_required(world.database, "acme", required=True)
    with refused(FailedPreconditionError, "CONSENT_MISSING"):
        await order(world, subject, "CreateGallery")


def test_no_call_takes_whether_consents_are_required() -> None:
    sent = {field.full_name for call in CALLS for field in inputs(call.input_type)}
    assert "headshots.v1.Consent.statement_text" in sent
    assert [name for name in sent if name.endswith("consent_required")] == []


async def test_a_training_that_no_trainer_got_yet_ends_when_the_consent_does(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    await world.stop_peer(world.trainer_port)
    training = (await world.acme.create_training(subject)).name
    await until(lambda: world.rows(schema.trainings)[0].sent)
    expire(world)
    ended = await world.acme.finished_training(training)
    assert (ended.state, ended.failure.reason) == (jobs_pb2.JOB_STATE_FAILED, "CONSENT_EXPIRED")
    # A trainer may have got it: one is told, and until then the subject stays.
    with refused(FailedPreconditionError, "SUBJECT_BUSY"):
        await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    await world.start_peer(world.trainer, world.trainer_port)
    await until(lambda: not world.rows(schema.trainings)[0].owes_cancel)


async def test_a_training_on_its_way_to_a_trainer_when_the_consent_ends_is_cancelled_there(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    world.trainer.takes.clear()
    world.trainer.begins.clear()
    training = (await world.acme.create_training(subject)).name
    await until(lambda: bool(world.trainer.starts))
    expire(world)
    assert (await world.acme.finished_training(training)).failure.reason == "CONSENT_EXPIRED"
    # The trainer was told, and knew no such job yet.
    await until(lambda: not world.rows(schema.trainings)[0].owes_cancel)
    world.trainer.takes.set()
    await until(lambda: [job.state for job in world.trainer.jobs.values()] == [jobs_pb2.JOB_STATE_CANCELLED])


async def test_a_training_in_a_trainers_queue_ends_when_the_consent_does(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    world.trainer.begins.clear()
    training = (await world.acme.create_training(subject)).name
    await until(lambda: world.rows(schema.trainings)[0].submitted)
    take_away(world)
    ended = await world.acme.finished_training(training)
    assert (ended.state, ended.failure.reason) == (jobs_pb2.JOB_STATE_FAILED, "CONSENT_MISSING")
    (job,) = world.trainer.jobs.values()
    await until(lambda: job.state == jobs_pb2.JOB_STATE_CANCELLED)
    world.trainer.begins.set()
    await until(lambda: not world.rows(schema.trainings)[0].owes_cancel)
    assert job.step == 0


async def test_a_training_that_runs_is_finished(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    world.trainer.go.clear()
    training = (await world.acme.create_training(subject)).name
    await until(lambda: world.rows(schema.trainings)[0].state == schema.RUNNING)
    expire(world)
    world.trainer.go.set()
    assert (await world.acme.finished_training(training)).state == jobs_pb2.JOB_STATE_SUCCEEDED


async def test_shots_that_have_not_begun_are_not_painted(world: World, subject: str) -> None:
    await world.kill()
    await world.start(shots_in_flight=1)
    world.generator.hold()
    painted = len(world.generator.requests)
    gallery = await world.acme.gallery(subject, shots_per_style=3)
    await until(lambda: len(world.generator.requests) == painted + 1)
    expire(world)
    world.generator.permit(3)
    ended = await world.acme.finished_gallery(gallery)
    assert (ended.state, ended.failure.reason) == (jobs_pb2.JOB_STATE_FAILED, "CONSENT_EXPIRED")
    assert (ended.completed_shots, ended.failed_shots) == (1, 2)
    assert len(world.generator.requests) == painted + 1


async def test_a_shoot_whose_consent_ends_with_its_training_paints_nothing(world: World) -> None:
    subject = await shoots.person(world)
    world.trainer.go.clear()
    shoot = await shoots.order(world.acme, subject)
    await until(lambda: world.rows(schema.trainings)[0].state == schema.RUNNING)
    expire(world)
    world.trainer.go.set()
    ended = await shoots.finished(world.acme, shoot.name)
    assert (ended.state, ended.failure.reason) == (jobs_pb2.JOB_STATE_FAILED, "CONSENT_EXPIRED")
    assert world.rows(schema.galleries) == []
