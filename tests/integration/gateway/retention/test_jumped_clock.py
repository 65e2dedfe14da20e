"""Work that waits does not fail by a clock that jumped, and goes on when the clock is set back."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.database import open_database
from headshots.errors import UnavailableError
from headshots.v1 import jobs_pb2
from services.gateway import wiring
from services.gateway.retention.waiting import MESSAGE
from tests.support.clocks import SqliteClock
from tests.support.gateway.caller import selfie
from tests.support.gateway.shoots import finished, order, person, with_large_photos
from tests.support.gateway.world import World
from tests.support.waiting import until

FORTY_DAYS = 40 * 86400.0


@pytest.fixture
async def clock(world: World, monkeypatch: pytest.MonkeyPatch) -> SqliteClock:
    """That of the gateway's database, which stands still."""
    made: list[SqliteClock] = []

    def opened(url: str) -> Engine:
        engine = open_database(url)
        made.append(SqliteClock(engine))
        made[-1].set(time.time())
        return engine

    monkeypatch.setattr(wiring, "open_database", opened)
    await with_large_photos(world, shots_in_flight=1, erase_again_seconds=0.1)
    return made[-1]


def states(world: World, table: sa.Table) -> list[Any]:
    return [row.state for row in world.rows(table)]


async def test_shots_that_wait_outlive_a_jump(world: World, clock: SqliteClock) -> None:
    now = time.time()
    subjects = [await world.acme.trained_subject() for _ in range(2)]
    world.generator.hold()
    running = await world.acme.gallery(subjects[0], shots_per_style=1)
    await until(lambda: world.generator.running == 1)
    waiting = await world.acme.gallery(subjects[1], shots_per_style=2)
    clock.set(now + FORTY_DAYS)
    world.generator.permit()
    await until(lambda: "succeeded" in states(world, schema.galleries))
    # As long as it takes to claim the others.
    await asyncio.sleep(0.5)
    assert sorted(states(world, schema.shots)) == ["pending", "pending", "succeeded"]
    clock.set(now)
    assert (await world.acme.finished_gallery(waiting)).state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert (await world.acme.finished_gallery(running)).state == jobs_pb2.JOB_STATE_SUCCEEDED


async def test_a_training_that_waits_outlives_a_jump(world: World, clock: SqliteClock) -> None:
    now = time.time()
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    world.trainer.refusal = UnavailableError("TRAINER_DRAINING", "the trainer is away")
    training = await world.acme.create_training(subject)
    await until(lambda: bool(world.trainer.starts))
    clock.set(now + FORTY_DAYS)
    # As long as it takes to end it, and to try to send it again.
    await until(
        lambda: (
            [row.note for row in world.rows(schema.trainings)] == [MESSAGE]
            or states(world, schema.trainings) == ["failed"]
        )
    )
    clock.set(now)
    world.trainer.refusal = None
    assert (await world.acme.finished_training(training.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED


async def test_a_shoot_whose_training_ends_after_a_jump_waits_for_its_gallery(world: World, clock: SqliteClock) -> None:
    now = time.time()
    world.trainer.go.clear()
    shoot = await order(world.acme, await person(world))
    await until(lambda: "running" in states(world, schema.trainings))
    clock.set(now + FORTY_DAYS)
    world.trainer.go.set()
    await until(lambda: [row.note for row in world.rows(schema.shoots)] == [MESSAGE])
    assert states(world, schema.shoots) == ["running"]
    clock.set(now)
    assert (await finished(world.acme, shoot.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED
