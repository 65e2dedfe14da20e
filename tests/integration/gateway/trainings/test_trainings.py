"""Trainings are created, refused, sent to a trainer, found and listed."""

from __future__ import annotations

from headshots import keys
from headshots.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
)
from headshots.schema import trainings
from headshots.v1 import jobs_pb2, photos_pb2, subjects_pb2, trainings_pb2
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.world import World


async def test_a_training_gives_the_subject_its_adapter(world: World, subject: str) -> None:
    options = trainings_pb2.TrainingOptions(steps=3, learning_rate=2e-4, seed=0)
    training = await world.acme.create_training(subject, options=options)
    assert training.state == jobs_pb2.JOB_STATE_PENDING
    assert training.photo_count == 6
    seen = [message.training async for message in world.acme.watch_training(training.name)]
    assert seen[-1].state == jobs_pb2.JOB_STATE_SUCCEEDED
    steps = [message.step for message in seen]
    assert steps == sorted(steps)
    assert [point.step for point in seen[-1].curve] == [1, 2, 3]
    assert seen[-1].options == options
    assert seen[-1].HasField("end_time")
    got = (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))).subject
    assert got.adapter == seen[-1].adapter
    assert await world.store.exists(got.adapter.key)


async def test_the_trainer_gets_the_photos_by_reference(world: World, subject: str) -> None:
    keys.grant_high(world.database, "acme")
    training = await world.acme.create_training(subject, priority=jobs_pb2.PRIORITY_HIGH)
    await world.acme.finished_training(training.name)
    (request,) = world.trainer.requests.values()
    assert request.job_id == training.name.split("/")[-1]
    assert (request.tenant, request.class_noun) == ("acme", "woman")
    assert request.output_prefix == f"tenants/acme/{subject}/adapters/{request.job_id}"
    assert request.priority == jobs_pb2.PRIORITY_HIGH
    assert not request.options.HasField("steps")
    assert len(request.photos) == 6
    for photo in request.photos:
        assert photo.key == f"tenants/acme/{subject}/photos/{photo.sha256}.png"
        assert await world.store.exists(photo.key)


async def test_too_few_photos_are_refused(world: World) -> None:
    subject = await world.acme.subject()
    with refused(FailedPreconditionError, "TOO_FEW_PHOTOS"):
        await world.acme.create_training(subject)
    await world.acme.upload(subject, *map(selfie, range(5)))
    with refused(FailedPreconditionError, "TOO_FEW_PHOTOS") as caught:
        await world.acme.create_training(subject)
    assert "has 5" in caught.value.message
    assert world.rows(trainings) == []


async def test_a_second_training_while_one_runs_is_refused(world: World, subject: str) -> None:
    world.trainer.go.clear()
    first = await world.acme.create_training(subject)
    with refused(FailedPreconditionError, "TRAINING_ACTIVE") as caught:
        await world.acme.create_training(subject)
    assert caught.value.metadata["name"] == first.name
    assert len(world.rows(trainings)) == 1
    with refused(FailedPreconditionError, "SUBJECT_UNTRAINED") as caught:
        await world.acme.gallery(subject)
    assert caught.value.metadata["name"] == first.name, "what to wait for, rather than to create a second"
    world.trainer.go.set()
    await world.acme.finished_training(first.name)
    second = await world.acme.create_training(subject)
    assert second.name != first.name


async def test_the_same_request_id_makes_one_training(world: World, subject: str) -> None:
    world.trainer.go.clear()
    first = await world.acme.create_training(subject, request_id="once")
    assert (await world.acme.create_training(subject, request_id="once")).name == first.name
    world.trainer.go.set()
    await world.acme.finished_training(first.name)
    assert (await world.acme.create_training(subject, request_id="once")).name == first.name
    assert len(world.trainer.jobs) == 1


async def test_validate_only_checks_and_makes_nothing(world: World, subject: str) -> None:
    training = await world.acme.create_training(subject, validate_only=True)
    assert training.photo_count == 6
    assert world.rows(trainings) == []
    with refused(FailedPreconditionError, "TOO_FEW_PHOTOS"):
        await world.acme.create_training(await world.acme.subject(), validate_only=True)


async def test_bad_options_are_refused(world: World, subject: str) -> None:
    with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED") as caught:
        await world.acme.create_training(subject, options=trainings_pb2.TrainingOptions(steps=0))
    assert [violation.field for violation in caught.value.violations] == ["options.steps"]
    with refused(InvalidArgumentError, "RANK_TOO_LARGE"):
        await world.acme.create_training(subject, options=trainings_pb2.TrainingOptions(rank=64))
    assert world.rows(trainings) == []


async def test_photos_that_are_not_the_subjects_cannot_be_trained_on(world: World, subject: str) -> None:
    listed = await world.acme("ListPhotos", photos_pb2.ListPhotosRequest(parent=subject))
    names = [photo.name for photo in listed.photos]
    (foreign,) = await world.acme.upload(await world.acme.subject(), selfie(9))
    for wanted in ([*names, foreign.name], [*names, f"{subject}/photos/{'0' * 32}"]):
        with refused(NotFoundError, "PHOTO_NOT_FOUND"):
            await world.acme.create_training(subject, photos=wanted)
    with refused(FailedPreconditionError, "TOO_FEW_PHOTOS"):
        await world.acme.create_training(subject, photos=names[:5])
    for wanted in ([*names, names[0]], ["subjects/x"]):
        with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
            await world.acme.create_training(subject, photos=wanted)


async def test_pages_are_newest_first(world: World, subject: str) -> None:
    names = []
    for _ in range(3):
        names.append((await world.acme.create_training(subject)).name)
        await world.acme.finished_training(names[-1])
    request = trainings_pb2.ListTrainingsRequest(parent=subject, page_size=2)
    page = await world.acme("ListTrainings", request)
    rest = await world.acme(
        "ListTrainings", trainings_pb2.ListTrainingsRequest(parent=subject, page_token=page.next_page_token)
    )
    assert [training.name for training in [*page.trainings, *rest.trainings]] == names[::-1]
    assert (len(page.trainings), rest.next_page_token) == (2, "")


async def test_unknown_trainings_are_not_found(world: World, subject: str) -> None:
    name = f"{subject}/trainings/none"
    for method, request in (
        ("GetTraining", trainings_pb2.GetTrainingRequest(name=name)),
        ("CancelTraining", trainings_pb2.CancelTrainingRequest(name=name)),
    ):
        with refused(NotFoundError, "TRAINING_NOT_FOUND"):
            await world.acme(method, request)
    with refused(NotFoundError, "TRAINING_NOT_FOUND"):
        async for _ in world.acme.watch_training(name):
            pass
