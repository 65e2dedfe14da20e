"""Gives every test of the gateway a world of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.gateway.world import World, opened_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A gateway, its peers, database and store; for one test."""
    async with opened_world(tmp_path) as world:
        yield world
