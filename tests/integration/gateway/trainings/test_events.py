"""A watch of a training resumes after any event: each event comes once and in order, whatever was killed."""

from __future__ import annotations

import itertools

import pytest
import sqlalchemy as sa

from headshots.client import AsyncHeadshots, JobState, Training
from headshots.errors import InvalidArgumentError
from headshots.schema import RUNNING, training_events, trainings
from headshots.v1 import jobs_pb2, subjects_pb2, trainings_pb2
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.world import World
from tests.support.waiting import PATIENCE_SECONDS, until


@pytest.fixture
async def name(world: World) -> str:
    """A training that has just been made, of a trainer that waits for `go` before each step."""
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    world.trainer.go.clear()
    training = await world.acme.create_training(subject)
    assert training.event_number == 1
    return training.name


async def watched(world: World, name: str, **after: int) -> list[trainings_pb2.Training]:
    """All events that a watch sends; it has to end by itself."""
    request = trainings_pb2.WatchTrainingRequest(name=name, **after)
    return [message.training async for message in world.acme.stream("WatchTraining", request)]


async def finished(world: World, name: str) -> list[trainings_pb2.Training]:
    """Every event of a training once it is over; at least three: made, running, done."""
    await until(lambda: _state(world, name) == RUNNING)
    world.trainer.go.set()
    return await watched(world, name, after_event=0)


async def test_events_are_numbered_and_each_is_the_training_as_it_stood(world: World, name: str) -> None:
    events = await finished(world, name)
    assert [event.event_number for event in events] == list(range(1, len(events) + 1))
    assert events[0].state == jobs_pb2.JOB_STATE_PENDING
    assert events[-1].state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert events[-1] == await world.acme.get_training(name)
    for event in events:
        assert [point.step for point in event.curve] == list(range(1, event.step + 1))
        assert event.HasField("end_time") == (event is events[-1])
        assert event.HasField("adapter") == (event is events[-1])
    for before, after in itertools.pairwise(events):
        after.event_number = before.event_number
        assert after != before, "an event is a change"


async def test_a_watch_resumes_after_any_event(world: World, name: str) -> None:
    events = await finished(world, name)
    for number in range(len(events) + 1):
        assert await watched(world, name, after_event=number) == events[number:]
    # Without a number: the present.
    assert await watched(world, name) == events[-1:]


async def test_a_number_that_no_event_has_had_is_refused(world: World, name: str) -> None:
    events = await finished(world, name)
    with refused(InvalidArgumentError, "AFTER_EVENT_UNKNOWN"):
        await watched(world, name, after_event=len(events) + 1)
    with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
        await watched(world, name, after_event=-1)


async def test_a_gateway_killed_between_two_events_loses_and_repeats_none(world: World, name: str) -> None:
    first: list[trainings_pb2.Training] = []
    async for message in world.acme.watch_training(name):
        first.append(message.training)
        if message.training.state == jobs_pb2.JOB_STATE_RUNNING:
            break
    await world.kill()
    # What happens while no gateway runs.
    world.trainer.go.set()
    await until(lambda: all(job.state == jobs_pb2.JOB_STATE_SUCCEEDED for job in world.trainer.jobs.values()))
    await world.start()
    rest = await watched(world, name, after_event=first[-1].event_number)
    events = await watched(world, name, after_event=0)
    assert events[first[0].event_number - 1 :] == first + rest


async def test_the_client_connects_again_and_sees_each_event_once(world: World, name: str) -> None:
    assert world.gateway is not None
    port = world.gateway.server.port
    seen: list[Training] = []
    address = f"127.0.0.1:{port}"
    async with AsyncHeadshots(address, world.keys["acme"], reconnect_seconds=PATIENCE_SECONDS) as client:
        async for training in client.watch_training(name, after_event=0):
            seen.append(training)
            if training.state is JobState.RUNNING and not world.trainer.go.is_set():
                await world.kill()
                world.trainer.go.set()
                await world.start(port=port)
        numbers = [training.event_number for training in seen]
        assert numbers == list(range(1, len(seen) + 1))
        assert seen[-1].state is JobState.SUCCEEDED
        # A watch after the last event of a training that has ended ends at once.
        assert [each async for each in client.watch_training(name, after_event=numbers[-1])] == []
        assert [each async for each in client.watch_training(name, after_event=numbers[-2])] == seen[-1:]


async def test_where_events_are_no_longer_kept_a_watch_resumes_with_the_first_that_is(world: World, name: str) -> None:
    events = await finished(world, name)
    _age(world, training_events.c.number <= 2)
    # The end of another training is when they go.
    other = (await world.acme.create_training(_parent(name))).name
    await watched(world, other)
    assert await watched(world, name, after_event=0) == events[2:]
    _age(world, training_events.c.training_id == name.split("/")[-1])
    third = (await world.acme.create_training(_parent(name))).name
    await watched(world, third)
    assert await watched(world, name, after_event=1) == events[-1:]
    assert await watched(world, name, after_event=len(events)) == []


async def test_a_deleted_subject_leaves_no_events(world: World, name: str) -> None:
    await finished(world, name)
    await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=_parent(name)))
    assert world.rows(training_events) == []
    assert world.rows(trainings) == []


async def test_queue_position_and_time_left_are_reported(world: World, name: str) -> None:
    job_id = name.split("/")[-1]
    await until(lambda: _state(world, name) == RUNNING)
    job = world.trainer.jobs[job_id]
    job.eta.FromSeconds(90)
    await world.trainer.change_job(job_id, state=jobs_pb2.JOB_STATE_PENDING, queue_position=7)

    async def is_reported() -> bool:
        training = await world.acme.get_training(name)
        return (training.queue_position, training.eta.seconds) == (7, 90)

    await until(is_reported)
    async for message in world.acme.watch_training(name):
        assert (message.training.queue_position, message.training.eta.seconds) == (7, 90)
        break


def _state(world: World, name: str) -> str:
    return next(str(row.state) for row in world.rows(trainings) if row.id == name.split("/")[-1])


def _parent(name: str) -> str:
    return name.rpartition("/trainings/")[0]


def _age(world: World, which: sa.ColumnElement[bool]) -> None:
    """Two days pass for some events."""
    with world.database.begin() as connection:
        two_days_ago = training_events.c.created_at - 2 * 24 * 3600.0
        connection.execute(sa.update(training_events).where(which).values(created_at=two_days_ago))
