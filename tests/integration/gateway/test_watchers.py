"""Watchers see what another process changed, and cost no reads while nothing changes."""

from __future__ import annotations

import asyncio
from typing import Any

import sqlalchemy as sa

from headshots import schema
from headshots.errors import NotFoundError
from headshots.v1 import trainings_pb2
from services.gateway.trainings import mirror
from tests.support.gateway.caller import Caller, refused, selfie
from tests.support.gateway.world import World
from tests.support.waiting import PATIENCE_SECONDS, until

WATCHERS = 100


async def training_that_waits(world: World) -> str:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    world.trainer.go.clear()
    return (await world.acme.create_training(subject)).name


async def watched(caller: Caller, name: str, seen: list[trainings_pb2.Training]) -> None:
    async for message in caller.watch_training(name):
        seen.append(message.training)


async def test_idle_watchers_share_a_query_and_all_see_what_another_process_changed(world: World) -> None:
    assert world.gateway is not None
    name = await training_that_waits(world)
    training_id = name.split("/")[-1]
    await until(lambda: any(row.state == schema.RUNNING for row in world.rows(schema.trainings)))
    seen: list[list[trainings_pb2.Training]] = [[] for _ in range(WATCHERS)]
    watching = [asyncio.create_task(watched(world.acme, name, each)) for each in seen]
    await until(lambda: all(seen))
    # The watchers that have just been answered read once more, and then wait.
    await until(lambda: len(_waiting(world)) == WATCHERS)
    asked: list[str] = []
    sa.event.listen(
        world.gateway._database, "before_cursor_execute", lambda _c, _k, statement, *_: asked.append(statement)
    )
    await until(lambda: sum("SELECT trainings.id, trainings.revision" in each for each in asked) >= 5)
    assert not [each for each in asked if "training_events" in each], "nobody reads events while there are none"
    await asyncio.to_thread(mirror.set_status_message, world.database, training_id, "held up elsewhere")
    await until(lambda: all(each[-1].status_message == "held up elsewhere" for each in seen))
    world.trainer.go.set()
    await asyncio.gather(*watching)


def _waiting(world: World) -> list[Any]:
    """Watchers that have read all there is."""
    assert world.gateway is not None
    hub = world.gateway._pool._hub
    return [each for found in hub._subscriptions.values() for each in found if each.seen is not None]


async def test_a_watch_of_what_was_erased_elsewhere_ends(world: World) -> None:
    name = await training_that_waits(world)
    watch = world.acme.watch_training(name)
    await anext(watch)
    with world.database.begin() as connection:
        for table in (schema.training_events, schema.trainings):
            connection.execute(sa.delete(table))
    async with asyncio.timeout(PATIENCE_SECONDS):
        with refused(NotFoundError, "TRAINING_NOT_FOUND"):
            async for _ in watch:
                pass
    world.trainer.go.set()
