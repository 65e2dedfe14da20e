"""A day is recorded from a gateway's database: each order once, whoever made it, and nobody's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.errors import FailedPreconditionError
from headshots.simulation.engine import Simulation
from headshots.simulation.policies import Policy
from headshots.simulation.recording import record
from headshots.simulation.service_times import ServiceTimes
from headshots.simulation.traces import read_trace, write_trace
from tests.support.gateway.shoots import finished, order, person, with_large_photos
from tests.support.gateway.world import World, opened_world


async def test_shoots_trainings_and_galleries_are_orders_each_once(tmp_path: Path) -> None:
    async with opened_world(tmp_path) as world:
        await is_recorded(world, tmp_path)


async def is_recorded(world: World, tmp_path: Path) -> None:
    await with_large_photos(world)
    with pytest.raises(FailedPreconditionError, match="TRACE_EMPTY"):
        record(world.database)
    shot = await person(world, display_name="Ada")
    await finished(world.acme, (await order(world.acme, shot, count=3)).name)
    trained = await world.acme.trained_subject()
    await world.acme.finished_gallery(await world.acme.gallery(trained, shots_per_style=2))
    found = record(world.database)
    assert [(each.subject, each.images, each.trains) for each in found] == [
        ("s1", 3, True),
        ("s2", 0, True),
        ("s2", 2, False),
    ]
    assert {each.tenant for each in found} == {"t1"}
    assert found[0].at_seconds == 0 < found[1].at_seconds < found[2].at_seconds
    path = tmp_path / "day.csv"
    write_trace(path, found)
    assert "Ada" not in path.read_text()
    assert shot.rpartition("/")[2] not in path.read_text()
    outcome = Simulation(Policy(), ServiceTimes({1: 1.0}, training_seconds=10.0)).run(read_trace(path))
    assert (outcome.orders, outcome.images) == (3, 5)
    with pytest.raises(FailedPreconditionError, match="TRACE_EMPTY"):
        record(world.database, until=1.0)
