"""Gives tests a subject with an adapter."""

from __future__ import annotations

import pytest

from tests.support.gateway.world import World


@pytest.fixture
async def subject(world: World) -> str:
    """A subject with an adapter."""
    return await world.acme.trained_subject(class_noun="man")
