"""A training ends as it should with trainers that are away, full, restarted or refuse it."""

from __future__ import annotations

from pathlib import Path

from headshots.errors import (
    InvalidArgumentError,
    ResourceExhaustedError,
)
from headshots.v1 import jobs_pb2, subjects_pb2
from tests.support.gateway.fake_trainer import FakeTrainer
from tests.support.gateway.world import World
from tests.support.waiting import until


async def test_a_training_reports_that_it_waits_for_a_trainer(world: World, subject: str, tmp_path: Path) -> None:
    await world.kill()
    port = world.trainer_port
    world.trainer_port = 1  # nobody listens there
    await world.start()
    training = await world.acme.create_training(subject)

    async def reports_it() -> bool:
        message = (await world.acme.get_training(training.name)).status_message
        return message == "waiting for a trainer: no trainer can be reached; it is tried again"

    await until(reports_it)
    assert (await world.acme.get_training(training.name)).state == jobs_pb2.JOB_STATE_PENDING
    await world.kill()
    world.trainer_port = port
    await world.start()
    done = await world.acme.finished_training(training.name)
    assert (done.state, done.status_message) == (jobs_pb2.JOB_STATE_SUCCEEDED, "")


async def test_a_lost_answer_of_the_trainer_is_asked_for_again(world: World, subject: str) -> None:
    world.trainer.lost_answers = 5  # more than the channel's own retries
    training = await world.acme.create_training(subject)
    assert (await world.acme.finished_training(training.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert world.trainer.starts.total() > 1
    assert len(world.trainer.jobs) == 1


async def test_a_full_trainer_is_asked_again(world: World, subject: str) -> None:
    world.trainer.refusal = ResourceExhaustedError("QUEUE_FULL", "the queue is full")
    training = await world.acme.create_training(subject)
    await until(lambda: world.trainer.starts.total() > 0)
    world.trainer.refusal = None
    assert (await world.acme.finished_training(training.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED


async def test_a_restarted_gateway_follows_the_training_again(world: World, subject: str) -> None:
    world.trainer.go.clear()
    training = await world.acme.create_training(subject)
    await until(lambda: len(world.trainer.jobs) == 1)
    await world.kill()
    world.trainer.go.set()
    await world.start()
    assert (await world.acme.finished_training(training.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert len(world.trainer.jobs) == 1


async def test_a_trainer_that_restarts_is_followed_again(world: World, subject: str) -> None:
    world.trainer.go.clear()
    training = await world.acme.create_training(subject)
    await until(lambda: len(world.trainer.jobs) == 1)
    await world.stop_peer(world.trainer_port)
    # The new one has lost its table: the gateway sends the job again.
    world.trainer = FakeTrainer(world.store)
    await world.start_peer(world.trainer, world.trainer_port)
    assert (await world.acme.finished_training(training.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert world.trainer.starts.total() >= 1


async def test_what_the_trainer_refuses_fails_the_training(world: World, subject: str) -> None:
    world.trainer.refusal = InvalidArgumentError("RECIPE_INVALID", "no such recipe; ask for another")
    done = await world.acme.finished_training((await world.acme.create_training(subject)).name)
    assert done.state == jobs_pb2.JOB_STATE_FAILED
    assert (done.failure.reason, done.failure.message) == ("RECIPE_INVALID", "no such recipe; ask for another")
    assert world.trainer.starts.total() == 1


async def test_a_training_that_fails_says_why(world: World, subject: str) -> None:
    world.trainer.failure = jobs_pb2.Failure(reason="TRAINING_DIVERGED", message="the loss is NaN")
    done = await world.acme.finished_training((await world.acme.create_training(subject)).name)
    assert done.state == jobs_pb2.JOB_STATE_FAILED
    assert done.failure == world.trainer.failure
    got = (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))).subject
    assert not got.HasField("adapter")
