"""Shots that wait for a generator begin as soon as one answers, however long their pauses would be."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from headshots.schema import galleries
from headshots.v1 import jobs_pb2
from services.gateway.painting import worker
from tests.support.gateway.world import World
from tests.support.waiting import until


@pytest.fixture
def long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """So long that no test ends where a shot waits for one."""
    monkeypatch.setattr(worker, "_FIRST_RETRY_SECONDS", 3600.0)
    monkeypatch.setattr(worker, "_LAST_RETRY_SECONDS", 3600.0)


@pytest.mark.usefixtures("long_pauses")
@pytest.mark.parametrize("knows_it", [False, True], ids=["never seen", "seen before"])
async def test_what_waits_begins_when_a_generator_answers(world: World, knows_it: bool) -> None:
    subject = await world.acme.trained_subject()
    if knows_it:
        await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    await world.stop_peer(world.generator_port)
    gallery = await world.acme.gallery(subject, shots_per_style=3, seed=7)
    await until(lambda: "waiting for a generator" in status(world))
    await world.start_peer(world.generator, world.generator_port)
    found = await world.acme.finished_gallery(gallery)
    assert found.state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert sorted(image.seed for image in found.images) == [7, 8, 9]
    assert max(world.generator.finished.values()) == 1


def status(world: World) -> str:
    """What galleries say of why they wait."""
    with world.database.connect() as connection:
        return " ".join(connection.execute(sa.select(galleries.c.note)).scalars())
