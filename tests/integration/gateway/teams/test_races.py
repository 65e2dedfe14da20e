"""A team is cancelled at the moment at which something is made for it: nothing that was made goes on unseen."""

from __future__ import annotations

import pytest

from headshots import schema
from headshots.v1 import jobs_pb2, teams_pb2
from services.gateway.teams import advancing
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

    monkeypatch.setattr(advancing, name, killed)
    made = await teams.order(world.acme, members)
    await until(lambda: len(world.rows(schema.galleries)) > painted)
    await world.acme("CancelTeam", teams_pb2.CancelTeamRequest(name=made.name))
    assert (await teams.finished(world.acme, made.name)).state == CANCELLED
    # Nothing has been painted since, and nothing waits for its turn.
    states = [row.state for row in world.rows(schema.galleries)]
    assert (states.count(schema.SUCCEEDED), set(states)) == (painted, {schema.CANCELLED, schema.SUCCEEDED} if painted else {schema.CANCELLED})
