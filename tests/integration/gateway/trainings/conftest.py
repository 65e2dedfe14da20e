"""Gives tests a subject that can be trained."""

from __future__ import annotations

import pytest

from tests.support.gateway.caller import selfie
from tests.support.gateway.world import World


@pytest.fixture
async def subject(world: World) -> str:
    """A subject with six photos."""
    subject = await world.acme.subject(class_noun="woman")
    await world.acme.upload(subject, *map(selfie, range(6)))
    return subject
