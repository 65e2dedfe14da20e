"""Gives tests of teams a gateway that judges, and a look."""

from __future__ import annotations

import pytest

from tests.support.gateway.teams import judging
from tests.support.gateway.world import World


@pytest.fixture
async def world(world: World) -> World:
    """With an analyzer, a look, and a good picture for the first seed of each of four members."""
    return await judging(world)
