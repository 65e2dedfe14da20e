"""Gives tests of shoots a gateway that takes usable photos."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.gateway.inspections import LARGE_PHOTOS
from tests.support.gateway.shoots import person
from tests.support.gateway.world import World, opened_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """That takes photos which are large enough; without an analyzer."""
    async with opened_world(tmp_path, **LARGE_PHOTOS) as world:
        yield world


@pytest.fixture
async def subject(world: World) -> str:
    """A subject with seven usable photos and a blurred one."""
    return await person(world, class_noun="woman")
