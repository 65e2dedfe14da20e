"""Shoots on PostgreSQL: killed at any step, watched from another gateway, cancelled, erased with their subject."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.deploy.test_postgres import everybody_opens_it, url  # noqa: F401
from tests.integration.gateway.shoots.test_creating import (  # noqa: F401
    test_two_equal_orders_at_once_make_one_shoot,
)
from tests.integration.gateway.shoots.test_deleting import (  # noqa: F401
    name,
    test_an_erased_subject_leaves_nothing_of_its_shoots,
)
from tests.integration.gateway.shoots.test_ending import (  # noqa: F401
    test_a_right_that_was_taken_back_fails_the_shoot_when_painting_would_begin,
    test_cancelling_stops_the_gallery_and_keeps_what_is_painted,
)
from tests.integration.gateway.shoots.test_going_on import test_a_gateway_killed_at_any_step  # noqa: F401
from tests.integration.gateway.shoots.test_watching import (  # noqa: F401
    test_the_watch_of_another_gateway_goes_on_where_this_one_s_ended,
)
from tests.support.deploy import postgres
from tests.support.gateway.inspections import LARGE_PHOTOS
from tests.support.gateway.shoots import person
from tests.support.gateway.world import World, opened_world

pytestmark = postgres.needed


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A gateway that takes usable photos."""
    async with opened_world(tmp_path, **LARGE_PHOTOS) as world:
        yield world


@pytest.fixture
async def subject(world: World) -> str:
    """A subject with usable photos."""
    return await person(world)
