"""Shots of a gateway that dies, drains or has company are each painted and recorded once."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa

from headshots import schema
from headshots.v1 import jobs_pb2
from tests.support.gateway.shots import assert_each_shot_once
from tests.support.gateway.world import World
from tests.support.waiting import until

STYLES = ("studio-navy-suit", "clinic-lab-coat")


async def test_a_gateway_killed_in_mid_gallery_finishes_it_after_a_restart(world: World, subject: str) -> None:
    world.generator.hold(3)
    name = await world.acme.gallery(subject, STYLES, shots_per_style=5)
    await until(lambda: len(world.generator.requests) == 7 and world.generator.running == 4)
    await world.kill()
    await until(lambda: world.generator.running == 0)
    before = {row.id: row.image for row in world.rows(schema.shots) if row.state == schema.SUCCEEDED}
    assert sum(row.state == schema.RUNNING for row in world.rows(schema.shots)) >= 4
    world.expire_leases()
    await world.start()
    world.generator.permit()
    gallery = await world.acme.finished_gallery(name)
    assert_each_shot_once(world, gallery)
    after = {row.id: row.image for row in world.rows(schema.shots)}
    assert {key: after[key] for key in before} == before
    # What was recorded before is not painted again.
    assert {world.generator.finished[image.prompt, image.seed] for image in gallery.images} <= {1, 2}
    assert world.generator.finished.total() <= 10 + 3 - len(before)


async def test_two_gateways_share_a_gallery(world: World, subject: str) -> None:
    first = world.gateway
    assert first is not None
    await world.start()
    name = await world.acme.gallery(subject, STYLES, shots_per_style=6)
    gallery = await world.acme.finished_gallery(name)
    assert_each_shot_once(world, gallery)
    assert Counter(world.generator.finished.values()) == {1: 12}
    await first.close()
    await first.server.stop(0)


async def test_a_draining_gateway_puts_its_shots_back_uncounted(world: World, subject: str) -> None:
    world.generator.hold(1)
    name = await world.acme.gallery(subject, shots_per_style=3)
    await until(lambda: len(world.generator.requests) == 3 and world.generator.running == 2)
    await until(lambda: schema.SUCCEEDED in {row.state for row in world.rows(schema.shots)})
    await world.terminate()
    rows = world.rows(schema.shots)
    assert sorted(row.state for row in rows) == [schema.PENDING, schema.PENDING, schema.SUCCEEDED]
    assert [row.attempt - row.uncounted_attempts for row in rows if row.state == schema.PENDING] == [0, 0]
    await world.start()
    world.generator.permit()
    assert_each_shot_once(world, await world.acme.finished_gallery(name))


async def test_a_shot_whose_workers_keep_dying_is_given_up(world: World, subject: str) -> None:
    world.generator.hold()
    name = await world.acme.gallery(subject, shots_per_style=1)
    await until(lambda: world.generator.running == 1)
    await world.kill()
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.shots).values(attempt=3))
    world.expire_leases()
    await world.start()
    gallery = await world.acme.finished_gallery(name)
    assert gallery.state == jobs_pb2.JOB_STATE_FAILED
    assert gallery.failure.reason == "SHOT_ATTEMPTS_EXHAUSTED"
    assert len(world.generator.requests) == 1
