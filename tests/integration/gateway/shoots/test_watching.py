"""A watch of a shoot resumes after any event, from any gateway; each image is told once."""

from __future__ import annotations

import itertools

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.errors import InvalidArgumentError
from headshots.v1 import galleries_pb2, jobs_pb2, shoots_pb2, trainings_pb2
from tests.support.gateway import shoots
from tests.support.gateway.caller import refused
from tests.support.gateway.world import World
from tests.support.waiting import until


def numbers(events: list[shoots_pb2.WatchShootResponse]) -> list[int]:
    return [each.shoot.event_number for each in events]


def told(events: list[shoots_pb2.WatchShootResponse]) -> list[str]:
    return list(itertools.chain.from_iterable((image.name for image in each.images) for each in events))


@pytest.fixture
async def name(world: World, subject: str) -> str:
    """A shoot of four."""
    return (await shoots.order(world.acme, subject, count=4)).name


async def test_events_are_numbered_and_each_is_the_shoot_as_it_stood(world: World, name: str) -> None:
    await shoots.watched(world.acme, name)
    events = await shoots.watched(world.acme, name, after_event=0)
    assert numbers(events) == list(range(1, len(events) + 1))
    stages = [each.shoot.stage for each in events]
    assert stages == sorted(stages)
    assert set(stages) == {
        shoots_pb2.SHOOT_STAGE_TRAINING,
        shoots_pb2.SHOOT_STAGE_PAINTING,
        shoots_pb2.SHOOT_STAGE_ENDED,
    }
    assert [each.shoot.HasField("end_time") for each in events] == [each is events[-1] for each in events]
    assert events[-1].shoot == await shoots.get(world.acme, name)
    for before, after in itertools.pairwise(events):
        assert after.shoot.completed_shots - before.shoot.completed_shots == len(after.images)
        after.shoot.event_number = before.shoot.event_number
        assert after.shoot != before.shoot, "an event is a change"
    gallery = events[-1].shoot.gallery
    assert sorted(told(events)) == [f"{gallery}/images/{number}" for number in range(4)]


async def test_a_watch_resumes_after_any_event(world: World, name: str) -> None:
    await shoots.watched(world.acme, name)
    events = await shoots.watched(world.acme, name, after_event=0)
    for number in range(len(events) + 1):
        assert await shoots.watched(world.acme, name, after_event=number) == events[number:]
    # Without a number: the present, with all images.
    (present,) = await shoots.watched(world.acme, name)
    assert present.shoot == events[-1].shoot
    assert len(present.images) == 4
    with refused(InvalidArgumentError, "AFTER_EVENT_UNKNOWN"):
        await shoots.watched(world.acme, name, after_event=len(events) + 1)


async def test_what_a_training_does_before_its_first_step_is_told(world: World, subject: str) -> None:
    world.trainer.go.clear()
    made = await shoots.order(world.acme, subject, count=4)
    await until(lambda: bool(world.trainer.jobs))
    (job,) = world.trainer.jobs
    await world.trainer.change_job(job, phase_message="painting other people, 4 of 200")

    async def told() -> tuple[str, str]:
        training = (await world.acme("GetTraining", trainings_pb2.GetTrainingRequest(name=made.training))).training
        return training.phase_message, (await shoots.get(world.acme, made.name)).training_phase_message

    async def both_tell() -> bool:
        return await told() == ("painting other people, 4 of 200",) * 2

    await until(both_tell)
    await world.trainer.change_job(job, phase_message="")
    world.trainer.go.set()
    await shoots.watched(world.acme, made.name)
    assert await told() == ("", "")


async def test_the_phase_of_a_training_is_told_with_its_numbers_until_it_ends(world: World, subject: str) -> None:
    world.trainer.go.clear()
    made = await shoots.order(world.acme, subject, count=4)
    await until(lambda: bool(world.trainer.jobs))
    (job_id,) = world.trainer.jobs
    job = world.trainer.jobs[job_id]
    phase = trainings_pb2.TRAINING_PHASE_CLASS_IMAGES
    job.progress.CopyFrom(trainings_pb2.TrainingProgress(phase=phase, done=4, total=200))
    job.progress.phase_eta.FromMilliseconds(98_500)
    job.eta.FromSeconds(300)
    await world.trainer.change_job(job_id, state=jobs_pb2.JOB_STATE_RUNNING)

    async def told() -> bool:
        training = (await world.acme("GetTraining", trainings_pb2.GetTrainingRequest(name=made.training))).training
        shoot = await shoots.get(world.acme, made.name)
        assert not shoot.HasField("training_progress") or shoot.training_progress == job.progress
        return training.progress == job.progress and shoot.training_eta.seconds == 300

    await until(told)
    job.ClearField("progress")
    job.ClearField("eta")
    world.trainer.go.set()
    ended = await shoots.finished(world.acme, made.name)
    assert not ended.HasField("training_progress")
    assert not ended.HasField("training_eta")
    assert not (await world.acme.get_training(made.training)).HasField("progress")


async def test_progress_of_training_and_gallery_is_told(world: World, subject: str) -> None:
    world.trainer.go.clear()
    world.generator.hold()
    made = await shoots.order(world.acme, subject, count=4)
    await until(lambda: world.rows(schema.trainings)[0].state == schema.RUNNING)
    (job_id,) = world.trainer.jobs
    await world.trainer.change_job(job_id, step=2)

    async def step() -> bool:
        shoot = await shoots.get(world.acme, made.name)
        return (shoot.training_step, shoot.training_total_steps, shoot.state) == (2, 3, jobs_pb2.JOB_STATE_RUNNING)

    await until(step)
    world.trainer.go.set()
    for painted in range(1, 5):
        world.generator.permit(1)

        async def counted(expected: int = painted) -> bool:
            shoot = await shoots.get(world.acme, made.name)
            return (shoot.completed_shots, shoot.tries) == (expected, expected)

        await until(counted)
    events = await shoots.watched(world.acme, made.name, after_event=0)
    assert {each.shoot.completed_shots for each in events} == set(range(5))


async def test_the_watch_of_another_gateway_goes_on_where_this_one_s_ended(world: World, subject: str) -> None:
    world.generator.hold(2)
    made = await shoots.order(world.acme, subject, count=4)
    first: list[shoots_pb2.WatchShootResponse] = []
    async for message in world.acme.stream("WatchShoot", shoots_pb2.WatchShootRequest(name=made.name, after_event=0)):
        first.append(message)
        if message.shoot.completed_shots == 2:
            break
    await world.kill()
    world.generator.permit()
    world.expire_leases()
    await world.start(photo_max_pixels=1_000_000)
    rest = await shoots.watched(world.acme, made.name, after_event=first[-1].shoot.event_number)
    assert numbers(first + rest) == list(range(1, len(first + rest) + 1))
    gallery = rest[-1].shoot.gallery
    assert sorted(told(first + rest)) == [f"{gallery}/images/{number}" for number in range(4)]


async def test_an_erased_image_is_left_out_and_still_counted(world: World, name: str) -> None:
    shoot = await shoots.finished(world.acme, name)
    await world.acme("DeleteImage", galleries_pb2.DeleteImageRequest(name=f"{shoot.gallery}/images/1"))
    (present,) = await shoots.watched(world.acme, name)
    assert (len(present.images), present.shoot.completed_shots) == (3, 4)
    await world.acme("DeleteGallery", galleries_pb2.DeleteGalleryRequest(name=shoot.gallery))
    (present,) = await shoots.watched(world.acme, name)
    assert (len(present.images), present.shoot) == (0, shoot)


async def test_where_events_are_no_longer_kept_a_watch_resumes_with_the_first_that_is(
    world: World, subject: str
) -> None:
    world.generator.hold(2)
    name = (await shoots.order(world.acme, subject, count=4)).name

    async def half() -> bool:
        return (await shoots.get(world.acme, name)).completed_shots == 2

    await until(half)
    world.generator.permit()
    events = await shoots.watched(world.acme, name, after_event=0)
    gone = next(each.shoot.event_number for each in events if each.shoot.completed_shots == 2)
    with world.database.begin() as connection:
        old = schema.shoot_events.c.number <= gone
        two_days_ago = schema.shoot_events.c.created_at - 2 * 24 * 3600.0
        connection.execute(sa.update(schema.shoot_events).where(old).values(created_at=two_days_ago))
    # The end of another shoot is when they go.
    await shoots.finished(world.acme, (await shoots.order(world.acme, subject)).name)
    kept = await shoots.watched(world.acme, name, after_event=1)
    assert [each.shoot for each in kept] == [each.shoot for each in events[gone:]]
    assert len(kept[0].images) == kept[0].shoot.completed_shots >= 2
    assert len(told(kept)) == len(set(told(kept))) == 4
