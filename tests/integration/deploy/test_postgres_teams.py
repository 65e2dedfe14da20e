"""Teams on PostgreSQL: painted again, made once whoever dies, left by who is erased."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.deploy.test_postgres import everybody_opens_it, url  # noqa: F401
from tests.integration.gateway.looks.test_looks import (  # noqa: F401
    test_versions_are_kept_and_archived_looks_are_out_of_use,
)
from tests.integration.gateway.teams.test_teams import (  # noqa: F401
    test_a_team_has_one_look_and_what_falls_out_is_painted_again,
    test_an_erased_member_is_in_no_report,
    test_what_is_made_and_not_noted_is_made_no_second_time,
)
from tests.support.deploy import postgres
from tests.support.gateway.inspections import LARGE_PHOTOS
from tests.support.gateway.teams import furnished
from tests.support.gateway.world import World, opened_world
from tests.support.images.faces import ColourAnalyzer

pytestmark = postgres.needed


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A gateway that judges; tests of teams have a look in it, that of looks makes its own."""
    async with opened_world(tmp_path, analyzer=ColourAnalyzer(), **LARGE_PHOTOS) as world:
        yield world if "versions" in request.node.name else await furnished(world)
