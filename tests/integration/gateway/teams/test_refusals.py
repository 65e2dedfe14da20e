"""A team that cannot be ordered whole is refused with the cure, member by member, and nothing is left behind."""

from __future__ import annotations

from typing import Any

import pytest

from headshots import keys, schema
from headshots.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    ResourceExhaustedError,
)
from headshots.v1 import jobs_pb2, looks_pb2, teams_pb2
from tests.support.gateway import teams
from tests.support.gateway.caller import refused
from tests.support.gateway.world import World
from tests.support.waiting import until

TABLES = (schema.teams, schema.team_members, schema.shoots, schema.trainings, schema.galleries, schema.shots)


def everything(world: World) -> list[list[Any]]:
    return [world.rows(table) for table in TABLES]


async def test_members_who_cannot_be_painted_are_all_named_and_nothing_is_left(world: World) -> None:
    good, bare = await teams.member(world), await teams.member(world, trained=False)
    few = await teams.member(world, trained=False, photos=2)
    before = everything(world)
    with refused(FailedPreconditionError, "SUBJECT_UNTRAINED") as caught:
        await teams.order(world.acme, [good, bare, few])
    assert [violation.field for violation in caught.value.violations] == ["members[1]", "members[2]"]
    assert "order with train" in caught.value.message
    with refused(FailedPreconditionError, "TOO_FEW_PHOTOS") as caught:
        await teams.order(world.acme, [good, bare, few], train=True)
    assert [violation.field for violation in caught.value.violations] == ["members[2]"]
    assert f"members[2]: TOO_FEW_PHOTOS: {few}: a shoot trains on" in caught.value.message, "which of many it is"
    assert everything(world) == before


async def test_who_does_not_exist_is_told_first(world: World) -> None:
    bare = await teams.member(world, trained=False)
    with refused(NotFoundError, "SUBJECT_NOT_FOUND") as caught:
        await teams.order(world.acme, [bare, "subjects/nobody"])
    assert [violation.field for violation in caught.value.violations] == ["members[1]", "members[0]"]
    assert not world.rows(schema.teams)


async def test_generators_without_an_analyzer_refuse_a_look(world: World) -> None:
    member = await teams.member(world)
    world.generator.check_failure = FailedPreconditionError("FRAME_NEEDS_ANALYZER", "set HEADSHOTS_GENERATOR_FACES")
    with refused(FailedPreconditionError, "FRAME_NEEDS_ANALYZER"):
        await teams.order(world.acme, [member])
    assert world.generator.checks[-1].HasField("frame")
    assert not world.rows(schema.teams)


async def test_validating_quotes_each_member_and_makes_nothing(world: World) -> None:
    members = [await teams.member(world), await teams.member(world, trained=False)]
    before = everything(world)
    team = await teams.order(world.acme, members, train=True, validate_only=True)
    assert [member.quote.images for member in team.members] == [1, 1]
    assert everything(world) == before


async def test_who_is_ordered_together_waits_for_each_other_in_the_quotes(world: World) -> None:
    bare = [await teams.member(world, trained=False) for _ in range(3)]
    team = await teams.order(world.acme, [*bare, await teams.member(world)], train=True, validate_only=True)
    assert [member.quote.queue_place for member in team.members] == [0, 1, 2, 3]


async def test_an_order_that_is_repeated_answers_the_team_that_was_made(world: World) -> None:
    member = await teams.member(world)
    made = await teams.order(world.acme, [member], request_id="once")
    assert (await teams.order(world.acme, [member], request_id="once")).name == made.name
    with refused(AlreadyExistsError, "REQUEST_ID_REUSED"):
        await teams.order(world.acme, [member], request_id="once", train=True)
    assert len(world.rows(schema.teams)) == 1


async def test_an_archived_look_is_refused_and_its_teams_go_on(world: World) -> None:
    members = [await teams.member(world), await teams.member(world)]
    team = await teams.order(world.acme, members[:1])
    await world.acme("ArchiveLook", looks_pb2.ArchiveLookRequest(name="looks/office"))
    with refused(FailedPreconditionError, "LOOK_ARCHIVED"):
        await teams.order(world.acme, members)
    await teams.add(world.acme, team.name, members[1:])
    assert (await teams.finished(world.acme, team.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED


async def test_nobody_is_added_twice_too_often_or_to_a_cancelled_team(world: World) -> None:
    members = [await teams.member(world), await teams.member(world)]
    made = await teams.order(world.acme, members[:1])
    await teams.finished(world.acme, made.name)
    before = everything(world)
    with refused(AlreadyExistsError, "MEMBER_EXISTS") as caught:
        await teams.add(world.acme, made.name, [members[1], members[0]])
    assert [violation.field for violation in caught.value.violations] == ["members[1]"]
    assert everything(world) == before
    world.generator.hold()
    await teams.add(world.acme, made.name, members[1:])
    await world.acme("CancelTeam", teams_pb2.CancelTeamRequest(name=made.name))
    with refused(FailedPreconditionError, "TEAM_CANCELLED"):
        await teams.add(world.acme, made.name, [await teams.member(world)])


async def test_a_team_has_a_largest_size(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.gateway.teams.creating.MAX_MEMBERS", 1)
    members = [await teams.member(world), await teams.member(world)]
    made = await teams.order(world.acme, members[:1])
    with refused(InvalidArgumentError, "TOO_MANY_MEMBERS"):
        await teams.add(world.acme, made.name, members[1:])
    assert len(world.rows(schema.team_members)) == 1


async def test_members_wait_for_places_of_high_priority_and_are_refused_where_none_is_enough(world: World) -> None:
    members, bare = [await teams.member(world) for _ in range(2)], await teams.member(world, trained=False)
    keys.grant_high(world.database, "acme", 4, 1)
    before = everything(world)
    with refused(ResourceExhaustedError, "HIGH_PRIORITY_FULL") as caught:
        await teams.order(world.acme, [*members, bare], train=True, priority=jobs_pb2.PRIORITY_HIGH)
    assert [violation.field for violation in caught.value.violations] == ["members[2]"]
    assert caught.value.retry_after_seconds is None, "its training and its portrait never fit"
    assert everything(world) == before
    world.generator.hold()
    made = await teams.order(world.acme, members, priority=jobs_pb2.PRIORITY_HIGH)
    await until(lambda: any(row.note for row in world.rows(schema.team_members)))
    waiting = await teams.get(world.acme, made.name)
    assert "of high priority waiting or running" in waiting.status_message
    assert len(world.rows(schema.shoots)) == 1
    with refused(ResourceExhaustedError, "HIGH_PRIORITY_FULL") as caught:
        await teams.order(world.acme, members[:1], priority=jobs_pb2.PRIORITY_HIGH)
    assert caught.value.retry_after_seconds
    world.generator.permit()
    team = await teams.finished(world.acme, made.name)
    assert [member.delivered for member in team.members] == [1, 1]
    assert not team.status_message
