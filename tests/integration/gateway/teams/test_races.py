"""A team is cancelled at the moment at which something is made for it: nothing that was made goes on unseen."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.v1 import jobs_pb2, teams_pb2
from services.gateway.api.requests import IdempotencyKey
from services.gateway.shoots.engine import ShootEngine
from services.gateway.teams import advancing, noting
from tests.support.gateway import teams
from tests.support.gateway.teams import BLUE, SEEDS_APART
from tests.support.gateway.world import World
from tests.support.waiting import until

CANCELLED = jobs_pb2.JOB_STATE_CANCELLED


@pytest.mark.parametrize("name", ["note_shoot", "note_repainting"])
async def test_what_was_made_and_not_noted_is_stopped_with_its_team(
    name: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever made it was killed between the two, and the team is cancelled before anybody takes it on again."""
    members = [await teams.member(world) for _ in range(3)]
    world.generator.pictures[2 * SEEDS_APART] = teams.picture(colour=BLUE)
    painted = 0 if name == "note_shoot" else 3
    world.generator.hold(painted)

    def killed(*_: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(noting, name, killed)
    made = await teams.order(world.acme, members)
    await until(lambda: len(world.rows(schema.galleries)) > painted)
    await world.acme("CancelTeam", teams_pb2.CancelTeamRequest(name=made.name))
    assert (await teams.finished(world.acme, made.name)).state == CANCELLED
    # Nothing has been painted since, and nothing waits for its turn.
    states = sorted(row.state for row in world.rows(schema.galleries))
    assert states == [schema.CANCELLED] * (len(states) - painted) + [schema.SUCCEEDED] * painted


async def test_what_is_made_after_another_gateway_cancelled_the_team_is_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one finds no shoot yet, so the team has ended when the shoot is there."""
    world.generator.hold()
    create = ShootEngine.create

    async def create_late(self: ShootEngine, *who: Any, key: IdempotencyKey, validate_only: bool) -> Any:
        if not validate_only:
            (row,) = world.rows(schema.teams)
            with world.database.begin() as connection:
                connection.execute(sa.update(schema.teams).values(cancel_requested=True))
            while advancing.advance(world.database, row.id) is not None:
                pass
        return await create(self, *who, key=key, validate_only=validate_only)

    monkeypatch.setattr(ShootEngine, "create", create_late)
    made = await teams.order(world.acme, [await teams.member(world)])
    assert (await teams.finished(world.acme, made.name)).state == CANCELLED
    await until(lambda: [row.state for row in world.rows(schema.shoots)] == [schema.CANCELLED])
