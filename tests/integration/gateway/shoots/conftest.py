"""Gives tests of shoots a gateway that takes usable photos."""

from __future__ import annotations

import pytest

from tests.support.gateway.shoots import person, with_large_photos
from tests.support.gateway.world import World


@pytest.fixture
async def world(world: World) -> World:
    """Without an analyzer."""
    return await with_large_photos(world)


@pytest.fixture
async def subject(world: World) -> str:
    """A subject with seven usable photos and a blurred one."""
    return await person(world, class_noun="woman")
