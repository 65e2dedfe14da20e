"""Several people are painted in one look: what falls out is painted again, who fails holds up nobody."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.errors import InternalError
from headshots.faces import Face, Pixels
from headshots.v1 import jobs_pb2, looks_pb2, teams_pb2
from services.gateway.galleries.orders.seeds import StyleSeeds, first_seed
from services.gateway.teams import noting
from tests.support.gateway import teams
from tests.support.gateway.teams import BLUE, SEEDS_APART, STYLE
from tests.support.gateway.world import World
from tests.support.images.faces import ColourAnalyzer
from tests.support.images.pictures import SIDE_PX
from tests.support.waiting import until

SUCCEEDED, FAILED = jobs_pb2.JOB_STATE_SUCCEEDED, jobs_pb2.JOB_STATE_FAILED
CANCELLED = jobs_pb2.JOB_STATE_CANCELLED


async def three(world: World) -> list[str]:
    return [await teams.member(world) for _ in range(3)]


async def test_a_team_has_one_look_and_what_falls_out_is_painted_again(world: World) -> None:
    members = await three(world)
    # The third one's wall is blue, until it is painted from seeds that nobody had.
    world.generator.pictures[2 * SEEDS_APART] = teams.picture(colour=BLUE)
    world.generator.pictures |= {2 * SEEDS_APART + further: teams.picture(5) for further in range(3, 9)}
    world.generator.hold(3)
    made = await teams.order(world.acme, members, labels={"team": "sales"})
    assert (made.state, made.look, made.look_version) == (jobs_pb2.JOB_STATE_PENDING, "looks/office", 1)
    await until(lambda: len(world.rows(schema.galleries)) == 4)
    # While it is painted again its fault is told, and the distance of the backdrops.
    fell_out = await teams.get(world.acme, made.name)
    assert list(fell_out.members[2].portraits[0].faults) == [teams_pb2.TEAM_FAULT_BACKDROP]
    assert list(fell_out.consistency[0].outliers) == [fell_out.members[2].portraits[0].image]
    world.generator.permit()
    changes = await teams.watched(world.acme, made.name)
    team = await teams.get(world.acme, made.name)
    assert changes[-1] == team
    assert team.state == SUCCEEDED
    assert [member.subject for member in team.members] == members
    assert {(member.state, member.asked, member.delivered) for member in team.members} == {(SUCCEEDED, 1, 1)}
    assert [portrait.repaints for member in team.members for portrait in member.portraits] == [0, 0, 1]
    assert not any(portrait.faults for member in team.members for portrait in member.portraits)
    (told,) = team.consistency
    assert (told.style, told.portraits, list(told.outliers)) == (STYLE, 3, [])
    assert told.backdrop_delta_e < 1
    assert told.eye_line_spread < 0.01
    assert told.medians.eye_line == pytest.approx(teams.measured().eye_line, abs=1e-4)
    assert team.members[2].portraits[0].image != fell_out.members[2].portraits[0].image
    shoot = await teams.shoot_of(world.acme, team.members[0])
    assert dict(shoot.labels) == {"team": "sales"}
    frames = {(request.frame.width_px, round(request.frame.eye_line, 4)) for request in world.generator.requests}
    assert frames == {(SIDE_PX, round(teams.measured().eye_line, 4))}


async def test_what_stays_outside_is_named_after_its_last_repainting(world: World) -> None:
    members = await three(world)
    blue = {2 * SEEDS_APART + further: teams.picture(further, colour=BLUE) for further in range(40)}
    world.generator.pictures |= blue
    team = await teams.finished(world.acme, (await teams.order(world.acme, members)).name)
    portrait = team.members[2].portraits[0]
    assert (team.state, portrait.repaints, list(portrait.faults)) == (SUCCEEDED, 3, [teams_pb2.TEAM_FAULT_BACKDROP])
    assert list(team.consistency[0].outliers) == [portrait.image]
    (told,) = portrait.deviations
    assert (told.fault, told.allowed) == (teams_pb2.TEAM_FAULT_BACKDROP, 3.0)
    assert told.apart > 3
    assert not team.members[0].portraits[0].deviations
    assert len(world.rows(schema.galleries)) == 6


async def test_an_image_that_misses_the_frame_is_tried_again(world: World) -> None:
    members = [await teams.member(world)]
    world.generator.pictures |= {1: teams.picture(down=12), 2: teams.picture(1)}
    world.generator.missed = {0: "FRAME_OUTSIDE"}
    team = await teams.finished(world.acme, (await teams.order(world.acme, members)).name)
    assert (team.state, team.members[0].delivered) == (SUCCEEDED, 1)
    assert [request.seed for request in world.generator.requests] == [0, 1, 2]
    (shot,) = world.rows(schema.shots)
    refused = [
        {check["reason"] for check in each["judgement"]["verdict"]["checks"] if not check["passed"]}
        for each in shot.refused_tries
    ]
    assert refused == [{"FRAME_MISSED"}, {"EYE_LINE_OFF"}]


@pytest.mark.parametrize(("up", "is_cut_by_the_frame"), [(20, True), (10, False)])
async def test_a_crown_that_is_missing_counts_unless_the_frame_cuts_it(
    up: int, is_cut_by_the_frame: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = ColourAnalyzer.faces

    def reaching_above(self: ColourAnalyzer, pixels_HWC: Pixels) -> list[Face]:
        """The painted head is taken for one that goes on above the picture."""
        found = seen(self, pixels_HWC)
        return [
            dataclasses.replace(face, box=(face.box[0], -30.0, *face.box[2:])) if face.box[1] == 60 - up else face
            for face in found
        ]

    monkeypatch.setattr(ColourAnalyzer, "faces", reaching_above)
    world.generator.pictures = {0: teams.picture(down=-up)}
    frame = looks_pb2.Frame(width_px=SIDE_PX, height_px=SIDE_PX, head_height=teams.measured().head_height)
    frame.eye_line = teams.measured().eye_line - up / SIDE_PX
    await teams.look(world.acme, "near", frame=frame, max_tries=1, max_repaints=0)
    made = await teams.order(world.acme, [await teams.member(world)], "looks/near")
    team = await teams.finished(world.acme, made.name)
    (shot,) = world.rows(schema.shots)
    missed = {check["reason"] for check in shot.judged["verdict"]["checks"] if not check["passed"]}
    assert ("FACE_CUT_OFF" in missed) is not is_cut_by_the_frame
    assert team.members[0].delivered == is_cut_by_the_frame


async def test_a_member_who_fails_holds_up_nobody_and_may_be_added_again(world: World) -> None:
    members = await three(world)
    world.generator.errors_by_seed = {SEEDS_APART: InternalError("BROKEN", "this seed is cursed")}
    team = await teams.finished(world.acme, (await teams.order(world.acme, members)).name)
    assert team.state == SUCCEEDED
    assert [member.state for member in team.members] == [SUCCEEDED, FAILED, SUCCEEDED]
    assert team.members[1].failure.reason == "BROKEN"
    assert team.consistency[0].portraits == 2
    added = await teams.add(world.acme, team.name, [members[1]])
    assert (added.state, added.members[-1].subject) == (jobs_pb2.JOB_STATE_RUNNING, members[1])
    again = await teams.finished(world.acme, team.name)
    assert [(member.subject, member.delivered) for member in again.members] == [
        (members[0], 1),
        (members[2], 1),
        (members[1], 1),
    ]


async def test_who_joins_later_gets_the_look_of_the_team(world: World) -> None:
    first, second = await teams.member(world), await teams.member(world)
    team = await teams.finished(world.acme, (await teams.order(world.acme, [first])).name)
    frame = looks_pb2.Frame(width_px=64, height_px=64)
    red = looks_pb2.LookStyles(styles=["styles/stage-red-shirt"])
    changed = looks_pb2.UpdateLookRequest(name="looks/office", frame=frame, styles=red)
    assert (await world.acme("UpdateLook", changed)).look.version == 2
    await teams.add(world.acme, team.name, [second])
    team = await teams.finished(world.acme, team.name)
    assert (team.look_version, team.state, len(team.members)) == (1, SUCCEEDED, 2)
    assert team.members[1].portraits[0].style == STYLE
    assert {request.frame.width_px for request in world.generator.requests} == {SIDE_PX}
    assert team.consistency[0].portraits == 2


async def test_a_look_with_the_same_seeds_paints_all_from_them(world: World) -> None:
    await teams.look(world.acme, "same", seed_policy=looks_pb2.SEED_POLICY_SAME, seed=7)
    world.generator.pictures[7] = teams.picture()
    members = await three(world)
    await teams.finished(world.acme, (await teams.order(world.acme, members, "looks/same")).name)
    assert [request.seed for request in world.generator.requests] == [7, 7, 7]


async def test_members_without_an_adapter_are_trained_where_the_order_says_so(world: World) -> None:
    members = [await teams.member(world), await teams.member(world, trained=False)]
    team = await teams.order(world.acme, members, train=True)
    team = await teams.finished(world.acme, team.name)
    assert [(member.state, member.delivered) for member in team.members] == [(SUCCEEDED, 1)] * 2
    assert (await teams.shoot_of(world.acme, team.members[1])).trains


async def test_cancelling_stops_every_member(world: World) -> None:
    members = await three(world)
    world.generator.hold()
    made = await teams.order(world.acme, members)
    await until(lambda: world.generator.running == 3)
    await world.acme("CancelTeam", teams_pb2.CancelTeamRequest(name=made.name))
    team = await teams.finished(world.acme, made.name)
    assert (team.state, {member.state for member in team.members}) == (CANCELLED, {CANCELLED})
    assert {row.state for row in world.rows(schema.shoots)} == {schema.CANCELLED}


@pytest.mark.parametrize("shots", [0, 1, 3])
async def test_a_gateway_killed_at_any_step_makes_each_shoot_once(shots: int, world: World) -> None:
    """Killed before anything is made, half way, and before what was painted is seen."""
    members = await three(world)
    world.generator.pictures[SEEDS_APART] = teams.picture(colour=BLUE)
    world.generator.pictures |= {SEEDS_APART + further: teams.picture(5) for further in range(3, 9)}
    world.generator.hold(shots)
    made = await teams.order(world.acme, members)
    done = sa.select(sa.func.count()).where(schema.shots.c.state == schema.SUCCEEDED)

    def painted() -> bool:
        with world.database.connect() as connection:
            return connection.execute(done).scalar_one() >= shots

    await until(painted)
    await world.kill()
    world.generator.permit()
    world.expire_leases()
    await world.start(photo_max_pixels=1_000_000)
    team = await teams.finished(world.acme, made.name)
    assert team.state == SUCCEEDED
    assert [portrait.repaints for member in team.members for portrait in member.portraits] == [0, 1, 0]
    assert (len(world.rows(schema.shoots)), len(world.rows(schema.galleries))) == (3, 4)


async def test_what_is_made_and_not_noted_is_made_no_second_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shoot, or the repainting, is committed, and whoever made it never hears of it: as killed between the two."""
    lost: set[tuple[str, int]] = set()

    def dying(name: str) -> Callable[..., bool]:
        note: Callable[..., bool] = getattr(noting, name)

        def note_or_die(engine: object, team_id: str, number: int, *told: object) -> bool:
            if (name, number) not in lost:
                lost.add((name, number))
                raise RuntimeError("killed")
            return note(engine, team_id, number, *told)

        return note_or_die

    for name in ("note_shoot", "note_repainting"):
        monkeypatch.setattr(noting, name, dying(name))
    members = await three(world)
    world.generator.pictures[SEEDS_APART] = teams.picture(colour=BLUE)
    world.generator.pictures |= {SEEDS_APART + further: teams.picture(5) for further in range(3, 9)}
    team = await teams.finished(world.acme, (await teams.order(world.acme, members)).name)
    assert team.state == SUCCEEDED
    assert lost == {("note_shoot", 1), ("note_shoot", 2), ("note_shoot", 3), ("note_repainting", 2)}
    assert (len(world.rows(schema.shoots)), len(world.rows(schema.galleries))) == (3, 4)


async def test_an_erased_member_is_in_no_report(world: World) -> None:
    members = await three(world)
    team = await teams.finished(world.acme, (await teams.order(world.acme, members, request_id="once")).name)
    await teams.erase(world.acme, members[0])
    left = await teams.get(world.acme, team.name)
    assert [member.subject for member in left.members] == members[1:]
    assert left.consistency[0].portraits == 2
    gone = members[0].split("/")[1]
    assert gone not in str(left) + str(world.rows(schema.teams)) + str(world.rows(schema.team_members))
    assert (await teams.order(world.acme, members[1:], request_id="once")).name == team.name
    assert [row.subject_id for row in world.rows(schema.team_members)] == [each.split("/")[1] for each in members[1:]]
    for member in members[1:]:
        await teams.erase(world.acme, member)
    assert not (await teams.get(world.acme, team.name)).members


async def test_without_an_analyzer_nothing_is_measured(world: World) -> None:
    await world.kill()
    world.analyzer = None
    await world.start(photo_max_pixels=1_000_000)
    team = await teams.finished(world.acme, (await teams.order(world.acme, [await teams.member(world)])).name)
    (portrait,) = team.members[0].portraits
    assert (team.state, portrait.accepted, portrait.HasField("measures")) == (SUCCEEDED, False, False)
    assert not team.consistency


async def test_teams_are_listed_by_labels_newest_first(world: World) -> None:
    member = await teams.member(world)
    made = [await teams.order(world.acme, [member], labels={"floor": str(at)}) for at in range(3)]
    for each in made:
        await teams.finished(world.acme, each.name)
    first = await world.acme("ListTeams", teams_pb2.ListTeamsRequest(page_size=2))
    rest = await world.acme("ListTeams", teams_pb2.ListTeamsRequest(page_size=2, page_token=first.next_page_token))
    told = [team.name for team in itertools.chain(first.teams, rest.teams)]
    assert told == [each.name for each in reversed(made)]
    labelled = await world.acme("ListTeams", teams_pb2.ListTeamsRequest(labels={"floor": "1"}))
    assert [team.name for team in labelled.teams] == [made[1].name]


async def test_styles_have_seeds_of_their_own_and_members_share_them(world: World) -> None:
    styles = [STYLE, "styles/stage-red-shirt"]
    how = {"seed_policy": looks_pb2.SEED_POLICY_SAME, "seed": 7, "max_tries": 1, "max_repaints": 0}
    await teams.look(world.acme, "two", styles=styles, **how)
    members = [await teams.member(world), await teams.member(world)]
    await teams.finished(world.acme, (await teams.order(world.acme, members, "looks/two")).name)
    bare = [style.removeprefix("styles/") for style in styles]
    expected = sorted((style, first_seed(7, style, StyleSeeds.VARIED)) for style in bare)
    assert sorted((row.style, row.seed) for row in world.rows(schema.shots)) == sorted(2 * expected)
    assert len({seed for _, seed in expected}) == 2
