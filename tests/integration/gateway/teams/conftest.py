"""Gives tests of teams a gateway that judges, and a look."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.gateway.inspections import LARGE_PHOTOS
from tests.support.gateway.teams import furnished
from tests.support.gateway.world import World, opened_world
from tests.support.images.faces import ColourAnalyzer


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """With an analyzer, a look, and a good picture for the first seed of each of four members."""
    async with opened_world(tmp_path, analyzer=ColourAnalyzer(), **LARGE_PHOTOS) as world:
        yield await furnished(world)
