"""A database that is away while shots are painted costs no shot and no attempt, and makes none twice."""

from __future__ import annotations

from headshots import schema
from tests.support.gateway.shots import assert_each_shot_once
from tests.support.gateway.world import World
from tests.support.trainer.outages import Outage
from tests.support.waiting import until


async def test_a_database_that_is_away_while_images_come_loses_no_shot(world: World, subject: str) -> None:
    assert world.gateway is not None
    outage = Outage(world.gateway._database)
    world.generator.hold()
    name = await world.acme.gallery(subject, shots_per_style=6)
    await until(lambda: world.generator.running == 4)
    outage.lasts = True
    world.generator.permit()
    # Every image that was under way has come, and nobody could write it down.
    await until(lambda: world.generator.running == 0 and outage.refused > 20)
    assert {row.state for row in world.rows(schema.shots)} == {schema.PENDING, schema.RUNNING}
    outage.lasts = False
    world.expire_leases()
    assert_each_shot_once(world, await world.acme.finished_gallery(name))
    rows = world.rows(schema.shots)
    assert {row.state for row in rows} == {schema.SUCCEEDED}
    assert all(row.attempt <= 2 for row in rows)
