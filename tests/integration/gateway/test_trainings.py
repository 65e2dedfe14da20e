"""Trainings through real gRPC, with a trainer that fails in all the ways that a trainer may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from headshots.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    ResourceExhaustedError,
)
from headshots.rpc.server import RunningServer
from headshots.schema import trainings
from headshots.v1 import jobs_pb2, subjects_pb2, trainings_pb2
from tests.support.fakes import FakeTrainer, serve
from tests.support.gateway_world import World, opened_world, refused, selfie
from tests.support.waiting import until


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened_world(tmp_path) as world:
        yield world


@pytest.fixture
async def subject(world: World) -> str:
    subject = await world.acme.subject(class_noun="woman")
    await world.acme.upload(subject, *map(selfie, range(6)))
    return subject


async def create(world: World, subject: str, **fields: object) -> trainings_pb2.Training:
    request = trainings_pb2.CreateTrainingRequest(parent=subject, **fields)  # type: ignore[arg-type]
    training = (await world.acme("CreateTraining", request)).training
    assert isinstance(training, trainings_pb2.Training)
    return training


async def get(world: World, name: str) -> trainings_pb2.Training:
    training = (await world.acme("GetTraining", trainings_pb2.GetTrainingRequest(name=name))).training
    assert isinstance(training, trainings_pb2.Training)
    return training


async def finished(world: World, name: str) -> trainings_pb2.Training:
    async for _ in world.acme.watch_training(name):
        pass
    return await get(world, name)


async def test_a_training_gives_the_subject_its_adapter(world: World, subject: str) -> None:
    options = trainings_pb2.TrainingOptions(steps=3, learning_rate=2e-4, seed=0)
    training = await create(world, subject, options=options)
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
    training = await create(world, subject, priority=jobs_pb2.PRIORITY_HIGH)
    await finished(world, training.name)
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
        await create(world, subject)
    await world.acme.upload(subject, *map(selfie, range(5)))
    with refused(FailedPreconditionError, "TOO_FEW_PHOTOS") as caught:
        await create(world, subject)
    assert "has 5" in caught.value.message
    assert world.rows(trainings) == []


async def test_a_second_training_while_one_runs_is_refused(world: World, subject: str) -> None:
    world.trainer.go.clear()
    first = await create(world, subject)
    with refused(FailedPreconditionError, "TRAINING_ACTIVE") as caught:
        await create(world, subject)
    assert caught.value.metadata["name"] == first.name
    assert len(world.rows(trainings)) == 1
    with refused(FailedPreconditionError, "SUBJECT_UNTRAINED") as caught:
        await world.acme.gallery(subject)
    assert caught.value.metadata["name"] == first.name, "what to wait for, rather than to create a second"
    world.trainer.go.set()
    await finished(world, first.name)
    second = await create(world, subject)
    assert second.name != first.name


async def test_the_same_request_id_makes_one_training(world: World, subject: str) -> None:
    world.trainer.go.clear()
    first = await create(world, subject, request_id="once")
    assert (await create(world, subject, request_id="once")).name == first.name
    world.trainer.go.set()
    await finished(world, first.name)
    assert (await create(world, subject, request_id="once")).name == first.name
    assert len(world.trainer.jobs) == 1


async def test_validate_only_checks_and_makes_nothing(world: World, subject: str) -> None:
    training = await create(world, subject, validate_only=True)
    assert training.photo_count == 6
    assert world.rows(trainings) == []
    with refused(FailedPreconditionError, "TOO_FEW_PHOTOS"):
        await create(world, await world.acme.subject(), validate_only=True)


async def test_bad_options_are_refused(world: World, subject: str) -> None:
    with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED") as caught:
        await create(world, subject, options=trainings_pb2.TrainingOptions(steps=0))
    assert [violation.field for violation in caught.value.violations] == ["options.steps"]
    with refused(InvalidArgumentError, "RANK_TOO_LARGE"):
        await create(world, subject, options=trainings_pb2.TrainingOptions(rank=64))
    assert world.rows(trainings) == []


async def test_a_training_waits_for_a_trainer_that_is_away_and_says_so(
    world: World, subject: str, tmp_path: Path
) -> None:
    await world.kill()
    port = world.trainer_port
    world.trainer_port = 1  # nobody listens there
    await world.start()
    training = await create(world, subject)

    async def says_so() -> bool:
        message = (await get(world, training.name)).status_message
        return message == "waiting for a trainer: no trainer can be reached; it is tried again"

    await until(says_so)
    assert (await get(world, training.name)).state == jobs_pb2.JOB_STATE_PENDING
    await world.kill()
    world.trainer_port = port
    await world.start()
    done = await finished(world, training.name)
    assert (done.state, done.status_message) == (jobs_pb2.JOB_STATE_SUCCEEDED, "")


async def test_an_answer_that_was_lost_is_asked_for_again(world: World, subject: str) -> None:
    world.trainer.lost_answers = 5  # more than the channel's own retries
    training = await create(world, subject)
    assert (await finished(world, training.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert world.trainer.starts.total() > 1
    assert len(world.trainer.jobs) == 1


async def test_a_full_trainer_is_asked_again(world: World, subject: str) -> None:
    world.trainer.refusal = ResourceExhaustedError("QUEUE_FULL", "the queue is full")
    training = await create(world, subject)
    await until(lambda: world.trainer.starts.total() > 0)
    world.trainer.refusal = None
    assert (await finished(world, training.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED


async def test_a_gateway_that_is_killed_in_between_goes_on(world: World, subject: str) -> None:
    world.trainer.go.clear()
    training = await create(world, subject)
    await until(lambda: len(world.trainer.jobs) == 1)
    await world.kill()
    world.trainer.go.set()
    await world.start()
    assert (await finished(world, training.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert len(world.trainer.jobs) == 1


async def test_a_trainer_that_restarts_is_followed_again(world: World, subject: str) -> None:
    first: RunningServer = world._peers[0]
    world.trainer.go.clear()
    training = await create(world, subject)
    await until(lambda: len(world.trainer.jobs) == 1)
    await first.stop()
    world._peers.remove(first)
    # The new one has lost its table: the gateway sends the job again.
    world.trainer = FakeTrainer(world.store)
    world._peers.append(await serve(world.trainer, world.trainer_port))
    assert (await finished(world, training.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert world.trainer.starts.total() >= 1


async def test_what_the_trainer_refuses_fails_the_training(world: World, subject: str) -> None:
    world.trainer.refusal = InvalidArgumentError("RECIPE_INVALID", "no such recipe; ask for another")
    done = await finished(world, (await create(world, subject)).name)
    assert done.state == jobs_pb2.JOB_STATE_FAILED
    assert (done.failure.reason, done.failure.message) == ("RECIPE_INVALID", "no such recipe; ask for another")
    assert world.trainer.starts.total() == 1


async def test_a_training_that_fails_says_why(world: World, subject: str) -> None:
    world.trainer.failure = jobs_pb2.Failure(reason="TRAINING_DIVERGED", message="the loss is NaN")
    done = await finished(world, (await create(world, subject)).name)
    assert done.state == jobs_pb2.JOB_STATE_FAILED
    assert done.failure == world.trainer.failure
    got = (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))).subject
    assert not got.HasField("adapter")


async def test_cancelling_stops_the_job(world: World, subject: str) -> None:
    world.trainer.go.clear()
    training = await create(world, subject)
    await until(lambda: len(world.trainer.jobs) == 1)
    await world.acme("CancelTraining", trainings_pb2.CancelTrainingRequest(name=training.name))
    assert (await finished(world, training.name)).state == jobs_pb2.JOB_STATE_CANCELLED
    (job,) = world.trainer.jobs.values()
    assert job.state == jobs_pb2.JOB_STATE_CANCELLED
    again = await world.acme("CancelTraining", trainings_pb2.CancelTrainingRequest(name=training.name))
    assert again.training.state == jobs_pb2.JOB_STATE_CANCELLED


async def test_cancelling_while_the_trainer_does_not_answer_is_remembered(world: World, subject: str) -> None:
    world.trainer.go.clear()
    world.trainer.lost_answers = 10**6
    training = await create(world, subject)
    await until(lambda: world.trainer.starts.total() > 0)
    answer = await world.acme("CancelTraining", trainings_pb2.CancelTrainingRequest(name=training.name))
    assert answer.training.state == jobs_pb2.JOB_STATE_PENDING
    world.trainer.lost_answers = 0
    assert (await finished(world, training.name)).state == jobs_pb2.JOB_STATE_CANCELLED
    (job,) = world.trainer.jobs.values()
    assert job.state == jobs_pb2.JOB_STATE_CANCELLED


async def test_a_cancelled_training_does_not_wait_for_ever_for_a_trainer(world: World, subject: str) -> None:
    await world.kill()
    port = world.trainer_port
    world.trainer_port = 1  # nobody listens there
    await world.start(cancel_patience_seconds=0.0)
    training = await create(world, subject)
    await until(lambda: world.rows(trainings)[0].sent)
    await world.acme("CancelTraining", trainings_pb2.CancelTrainingRequest(name=training.name))
    done = await finished(world, training.name)
    assert (done.state, done.status_message) == (jobs_pb2.JOB_STATE_CANCELLED, "")
    assert done.HasField("end_time")
    # A trainer may have it all the same, and write: until one has been told the subject's prefix is not free.
    with refused(FailedPreconditionError, "SUBJECT_BUSY"):
        await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    # But the subject may train again.
    await create(world, subject, validate_only=True)
    await world.kill()
    world.trainer_port = port
    await world.start()
    await until(lambda: not world.rows(trainings)[0].owes_cancel)
    await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))


async def test_a_trainer_that_froze_hears_of_the_cancellation_when_it_wakes(world: World, subject: str) -> None:
    await world.kill()
    await world.start(cancel_patience_seconds=0.0)
    world.trainer.go.clear()
    training = await create(world, subject)
    await until(lambda: len(world.trainer.jobs) == 1)
    # It answers no cancellation, and its watch stands still.
    world.trainer.deaf = True
    await world.acme("CancelTraining", trainings_pb2.CancelTrainingRequest(name=training.name))
    assert (await finished(world, training.name)).state == jobs_pb2.JOB_STATE_CANCELLED
    (job,) = world.trainer.jobs.values()
    assert job.state == jobs_pb2.JOB_STATE_RUNNING
    world.trainer.deaf = False
    # It is told again after ever longer pauses.
    await until(lambda: job.state == jobs_pb2.JOB_STATE_CANCELLED)
    await until(lambda: not world.rows(trainings)[0].owes_cancel)
    assert (await get(world, training.name)).state == jobs_pb2.JOB_STATE_CANCELLED


async def test_pages_are_newest_first(world: World, subject: str) -> None:
    names = []
    for _ in range(3):
        names.append((await create(world, subject)).name)
        await finished(world, names[-1])
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
