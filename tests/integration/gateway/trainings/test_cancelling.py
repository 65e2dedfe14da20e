"""A cancelled training ends, whether or not a trainer answers."""

from __future__ import annotations

from headshots.errors import (
    FailedPreconditionError,
)
from headshots.schema import trainings
from headshots.v1 import jobs_pb2, subjects_pb2, trainings_pb2
from tests.support.gateway.caller import refused
from tests.support.gateway.world import World
from tests.support.waiting import until


async def test_cancelling_stops_the_job(world: World, subject: str) -> None:
    world.trainer.go.clear()
    training = await world.acme.create_training(subject)
    await until(lambda: len(world.trainer.jobs) == 1)
    await world.acme("CancelTraining", trainings_pb2.CancelTrainingRequest(name=training.name))
    assert (await world.acme.finished_training(training.name)).state == jobs_pb2.JOB_STATE_CANCELLED
    (job,) = world.trainer.jobs.values()
    assert job.state == jobs_pb2.JOB_STATE_CANCELLED
    again = await world.acme("CancelTraining", trainings_pb2.CancelTrainingRequest(name=training.name))
    assert again.training.state == jobs_pb2.JOB_STATE_CANCELLED


async def test_cancelling_while_the_trainer_does_not_answer_is_remembered(world: World, subject: str) -> None:
    world.trainer.go.clear()
    world.trainer.lost_answers = 10**6
    training = await world.acme.create_training(subject)
    await until(lambda: world.trainer.starts.total() > 0)
    answer = await world.acme("CancelTraining", trainings_pb2.CancelTrainingRequest(name=training.name))
    assert answer.training.state == jobs_pb2.JOB_STATE_PENDING
    world.trainer.lost_answers = 0
    assert (await world.acme.finished_training(training.name)).state == jobs_pb2.JOB_STATE_CANCELLED
    (job,) = world.trainer.jobs.values()
    assert job.state == jobs_pb2.JOB_STATE_CANCELLED


async def test_a_cancelled_training_does_not_wait_for_ever_for_a_trainer(world: World, subject: str) -> None:
    await world.kill()
    port = world.trainer_port
    world.trainer_port = 1  # nobody listens there
    await world.start(cancel_patience_seconds=0.0)
    training = await world.acme.create_training(subject)
    await until(lambda: world.rows(trainings)[0].sent)
    await world.acme("CancelTraining", trainings_pb2.CancelTrainingRequest(name=training.name))
    done = await world.acme.finished_training(training.name)
    assert (done.state, done.status_message) == (jobs_pb2.JOB_STATE_CANCELLED, "")
    assert done.HasField("end_time")
    # A trainer may have the job all the same, and write files: until one is told, the subject cannot be erased.
    with refused(FailedPreconditionError, "SUBJECT_BUSY"):
        await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    # But the subject may train again.
    await world.acme.create_training(subject, validate_only=True)
    await world.kill()
    world.trainer_port = port
    await world.start()
    await until(lambda: not world.rows(trainings)[0].owes_cancel)
    await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))


async def test_a_trainer_that_froze_is_told_of_the_cancellation_when_it_wakes(world: World, subject: str) -> None:
    await world.kill()
    await world.start(cancel_patience_seconds=0.0)
    world.trainer.go.clear()
    training = await world.acme.create_training(subject)
    await until(lambda: len(world.trainer.jobs) == 1)
    # It fails cancellations, and its watch sends nothing.
    world.trainer.fails_cancels = True
    await world.acme("CancelTraining", trainings_pb2.CancelTrainingRequest(name=training.name))
    assert (await world.acme.finished_training(training.name)).state == jobs_pb2.JOB_STATE_CANCELLED
    (job,) = world.trainer.jobs.values()
    assert job.state == jobs_pb2.JOB_STATE_RUNNING
    world.trainer.fails_cancels = False
    # It is told again after ever longer pauses.
    await until(lambda: job.state == jobs_pb2.JOB_STATE_CANCELLED)
    await until(lambda: not world.rows(trainings)[0].owes_cancel)
    assert (await world.acme.get_training(training.name)).state == jobs_pb2.JOB_STATE_CANCELLED
