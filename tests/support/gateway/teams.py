"""Orders teams as a tenant does, over real gRPC, of pictures whose measures a test chooses."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from headshots.looks.measures import Measures, measure
from headshots.v1 import looks_pb2, shoots_pb2, subjects_pb2, teams_pb2
from tests.support.gateway.caller import Caller
from tests.support.gateway.world import World
from tests.support.images.faces import ColourAnalyzer, draw_head
from tests.support.images.pictures import HEAD, SIDE_PX, files, packed

STYLE = "styles/studio-navy-suit"
GREY, BLUE = (150, 150, 150), (120, 140, 190)
# Between the first seeds of two members of a look with varied seeds.
SEEDS_APART = 100_003


@functools.cache
def picture(number: int = 0, down: int = 0, colour: tuple[int, int, int] = GREY) -> bytes:
    """A portrait of Ada before a plain wall, so many pixels below where the frame of `look` wants her; another for each
    number, by a corner that shows nothing of the wall."""
    image = Image.new("RGB", (SIDE_PX, SIDE_PX), colour)
    # Shoulders, so that no two are near-duplicates: not of the backdrop.
    rng = np.random.default_rng([number, 0x7EA])
    coarse_HWC = rng.integers(90, 210, (3, 8, 3), dtype=np.uint8)
    clothes = Image.fromarray(coarse_HWC).resize((SIDE_PX, 56), Image.Resampling.NEAREST)
    image.paste(clothes, (0, SIDE_PX - 56))
    left, top, right, bottom = HEAD
    draw_head(image, "ada", (left, top + down, right, bottom + down))
    return packed(image)


@functools.cache
def measured(number: int = 0) -> Measures:
    """What is measured of `picture`."""
    found = measure(ColourAnalyzer(), np.asarray(Image.open(io.BytesIO(picture(number)))))
    assert found is not None
    return found


async def furnished(world: World) -> World:
    """A world whose gateway has an analyzer: with a look, and a good picture for four members' first seeds."""
    await look(world.acme)
    world.generator.pictures |= {SEEDS_APART * number: picture() for number in range(4)}
    return world


async def member(world: World, *, trained: bool = True, photos: int = 7) -> str:
    """A subject with photos of Ada, with an adapter unless told otherwise."""
    subject = await world.acme.subject()
    await world.acme.upload(subject, *files(range(100, 100 + photos), "ada"))
    if trained:
        await world.acme.finished_training((await world.acme.create_training(subject)).name)
    return subject


async def look(caller: Caller, look_id: str = "office", **fields: Any) -> looks_pb2.Look:
    """CreateLook, of one style, whose frame `picture` has; varied seeds unless told otherwise."""
    frame = looks_pb2.Frame(width_px=SIDE_PX, height_px=SIDE_PX, eye_line=measured().eye_line)
    frame.head_height = measured().head_height
    told = {"styles": [STYLE], "frame": frame, "seed_policy": looks_pb2.SEED_POLICY_VARIED, **fields}
    made = (await caller("CreateLook", looks_pb2.CreateLookRequest(look_id=look_id, **told))).look
    assert isinstance(made, looks_pb2.Look)
    return made


async def order(caller: Caller, members: Sequence[str], look: str = "looks/office", **fields: Any) -> teams_pb2.Team:
    """CreateTeam."""
    request = teams_pb2.CreateTeamRequest(look=look, members=members, **fields)
    team = (await caller("CreateTeam", request)).team
    assert isinstance(team, teams_pb2.Team)
    return team


async def add(caller: Caller, team: str, members: Sequence[str], **fields: Any) -> teams_pb2.Team:
    """AddTeamMembers."""
    request = teams_pb2.AddTeamMembersRequest(name=team, members=members, **fields)
    found = (await caller("AddTeamMembers", request)).team
    assert isinstance(found, teams_pb2.Team)
    return found


async def get(caller: Caller, name: str) -> teams_pb2.Team:
    """GetTeam."""
    team = (await caller("GetTeam", teams_pb2.GetTeamRequest(name=name))).team
    assert isinstance(team, teams_pb2.Team)
    return team


async def watched(caller: Caller, name: str) -> list[teams_pb2.Team]:
    """All that a watch sends; it has to end by itself."""
    return [each.team async for each in caller.stream("WatchTeam", teams_pb2.WatchTeamRequest(name=name))]


async def finished(caller: Caller, name: str) -> teams_pb2.Team:
    """The team once it has ended."""
    await watched(caller, name)
    return await get(caller, name)


async def shoot_of(caller: Caller, member: teams_pb2.TeamMember) -> shoots_pb2.Shoot:
    """GetShoot, of a member."""
    shoot = (await caller("GetShoot", shoots_pb2.GetShootRequest(name=member.shoot))).shoot
    assert isinstance(shoot, shoots_pb2.Shoot)
    return shoot


async def erase(caller: Caller, subject: str) -> None:
    """DeleteSubject."""
    await caller("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
