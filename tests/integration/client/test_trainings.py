"""Tests that the SDK starts, watches and cancels trainings, against a gateway in memory."""

from __future__ import annotations

import pytest

from headshots.client import AsyncHeadshots, JobFailedError, JobState, TrainingOptions, TrainingPhase, TrainingProgress
from headshots.errors import CancelledByCallerError, FailedPreconditionError
from headshots.v1 import jobs_pb2, trainings_pb2
from tests.support.fake_gateway.gateway import FakeGateway
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.prepared import subject_with_photos, trained
from tests.support.fake_gateway.styles import STYLES
from tests.support.fake_gateway.trainings import STEPS


async def test_a_training_may_name_its_photos(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await client.create_subject()
    await client.upload_photos(subject, [painted_png("selfie", number) for number in range(8)])
    found = await client.inspect_photos(subject)
    training = await client.train(subject, photos=[photo for photo in found.photos if photo.usable][:7])
    assert training.photo_count == 7
    (request,) = [each for each in fake.requests if isinstance(each, trainings_pb2.CreateTrainingRequest)]
    assert list(request.photos) == [photo.name for photo in found.photos[:7]]


async def test_train_reports_progress_and_answers_the_adapter(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await subject_with_photos(client)
    seen: list[tuple[JobState, int]] = []
    options = TrainingOptions(steps=20, learning_rate=0.001)
    training = await client.train(subject, options, on_progress=lambda now: seen.append((now.state, now.step)))
    assert training.state is JobState.SUCCEEDED
    assert training.adapter is not None
    assert training.adapter.sha256 == "ab" * 32
    assert [point.step for point in training.curve] == [5, 10, 15, 20]
    assert training.options == options
    assert training.likeness is None
    assert seen[0] == (JobState.PENDING, 0)
    assert seen[-1] == (JobState.SUCCEEDED, STEPS)
    assert [step for _, step in seen] == sorted(step for _, step in seen)
    assert (await client.get_subject(subject)).adapter == training.adapter
    assert [each async for each in client.list_trainings(subject)] == [await client.get_training(training)]


async def test_eta_arrives_in_seconds(client: AsyncHeadshots) -> None:
    training = await client.create_training(await subject_with_photos(client))
    etas = [now.eta_seconds async for now in client.watch_training(training)]
    assert etas == [None, 1.5, 1.0, 0.5, 0.0, None]


async def test_the_phase_of_a_training_arrives_with_its_numbers(client: AsyncHeadshots) -> None:
    training = await client.create_training(await subject_with_photos(client))
    before, first, *_, after = [now.progress async for now in client.watch_training(training)]
    assert (before, after) == (None, None)
    assert first == TrainingProgress(TrainingPhase.TRAINING, 5, STEPS, 1.5)


async def test_training_that_fails_raises_its_reason(client: AsyncHeadshots, fake: FakeGateway) -> None:
    fake.training_failure = jobs_pb2.Failure(reason="TRAINING_DIVERGED", message="lower the learning rate")
    subject = await subject_with_photos(client)
    with pytest.raises(JobFailedError, match="lower the learning rate") as caught:
        await client.train(subject)
    assert caught.value.reason == "TRAINING_DIVERGED"
    assert caught.value.job.state is JobState.FAILED


async def test_too_few_photos_is_a_failed_precondition(client: AsyncHeadshots) -> None:
    subject = await subject_with_photos(client, count=2)
    with pytest.raises(FailedPreconditionError) as caught:
        await client.create_training(subject)
    assert caught.value.reason == "TOO_FEW_PHOTOS"


async def test_validate_only_makes_nothing(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await subject_with_photos(client)
    assert (await client.create_training(subject, validate_only=True)).photo_count == 6
    assert fake.trainings == {}


async def test_cancelled_jobs_raise_on_wait(client: AsyncHeadshots) -> None:
    subject = await trained(client)
    training = await client.create_training(subject)
    assert (await client.cancel_training(training)).state is JobState.CANCELLED
    with pytest.raises(CancelledByCallerError):
        await client.wait_training(training)
    gallery = await client.create_gallery(subject, [STYLES[0]])
    await client.cancel_gallery(gallery)
    with pytest.raises(CancelledByCallerError):
        await client.wait_gallery(gallery)
