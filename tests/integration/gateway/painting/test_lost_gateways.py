"""Shots of a gateway that dies, drains or has company are each painted and recorded once."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
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


async def lose(world: World, *, shots: int) -> None:
    """Kills the gateway once it paints so many shots, lets their leases run out and starts the next gateway."""
    await until(lambda: world.generator.running >= shots)
    await world.kill()
    await until(lambda: world.generator.running == 0)
    world.expire_leases()
    await world.start()


@pytest.mark.parametrize(
    ("per_style", "deaths"),
    [(12, [4] * 3), (12, [4] * 5), (3, [4] * 3 + [1] * 6)],
    ids=["three of 24", "five of 24", "nine of 6"],
)
async def test_however_many_gateways_die_no_shot_is_lost(
    world: World, subject: str, per_style: int, deaths: list[int]
) -> None:
    """`deaths`: how many shots each gateway has when it dies. In the end all were lost twice, and are painted alone."""
    world.generator.hold()
    name = await world.acme.gallery(subject, STYLES, shots_per_style=per_style)
    for shots in deaths:
        await lose(world, shots=shots)
    world.generator.permit()
    assert_each_shot_once(world, await world.acme.finished_gallery(name))
    assert sum(row.lost_workers for row in world.rows(schema.shots)) == sum(deaths)


@pytest.mark.parametrize("seed", range(3))
async def test_gateways_that_die_at_random_lose_no_shot(world: World, subject: str, seed: int) -> None:
    random = Random(seed)
    world.generator.hold()
    name = await world.acme.gallery(subject, STYLES, shots_per_style=12)
    for _ in range(5):
        done = world.generator.finished.total() + random.randrange(3)
        world.generator.permit(done - world.generator.finished.total())
        await until(lambda done=done: world.generator.finished.total() >= done)  # type: ignore[misc]
        await lose(world, shots=random.randrange(2, 5))
    world.generator.permit()
    assert_each_shot_once(world, await world.acme.finished_gallery(name))


async def test_a_shot_that_ends_every_gateway_is_found_and_the_others_are_painted(world: World, subject: str) -> None:
    """Whoever calls the generator with seed 5 is gone before it answers; all else is painted."""
    deaths = 0
    world.generator.held_seeds = {5}
    name = await world.acme.gallery(subject, shots_per_style=12)

    def over() -> bool:
        (gallery,) = world.rows(schema.galleries)
        return gallery.state in schema.TERMINAL_STATES

    while True:
        await until(lambda: over() or world.generator.held > 0)
        if over():
            break
        deaths += 1
        await lose(world, shots=1)
    gallery = await world.acme.finished_gallery(name)
    assert gallery.state == jobs_pb2.JOB_STATE_FAILED
    assert (gallery.completed_shots, gallery.failed_shots) == (11, 1)
    assert gallery.failure.reason == "SHOT_ATTEMPTS_EXHAUSTED"
    assert gallery.failure.message.startswith("1 shot failed; shot 5: 2 gateways ended while they painted this shot")
    assert deaths <= 4, "twice with others, twice alone"


async def test_a_gateway_that_paints_a_suspected_shot_takes_no_other_meanwhile(world: World, subject: str) -> None:
    world.generator.hold()
    first = await world.acme.gallery(subject, shots_per_style=4)
    await until(lambda: world.generator.running == 4)
    suspected, after = [await world.acme.gallery(subject, shots_per_style=count, seed=99) for count in (1, 3)]
    mine = schema.shots.c.gallery_id == suspected.rsplit("/", 1)[1]
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.shots).where(mine).values(lost_workers=2))
    world.generator.permit(4)
    await world.acme.finished_gallery(first)
    await until(lambda: world.generator.running == 1)
    # Woken, it could claim the others now.
    last = await world.acme.gallery(subject, shots_per_style=1)
    world.generator.permit()
    for name in (suspected, after, last):
        assert (await world.acme.finished_gallery(name)).state == jobs_pb2.JOB_STATE_SUCCEEDED
    with world.database.connect() as connection:
        assert connection.execute(sa.select(schema.shots.c.in_company).where(mine)).scalar_one() is False
