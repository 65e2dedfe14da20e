"""Gives tests of teams a gateway that judges, and a look."""

from __future__ import annotations

import pytest

from tests.support.gateway import teams
from tests.support.gateway.shoots import with_large_photos
from tests.support.gateway.teams import SEEDS_APART
from tests.support.gateway.world import World


@pytest.fixture
async def world(world: World) -> World:
    """With an analyzer, a look, and a good picture for the first seed of each of four members."""
    await with_large_photos(world, analyzer=True)
    await teams.look(world.acme)
    world.generator.pictures |= {SEEDS_APART * number: teams.picture() for number in range(4)}
    return world
