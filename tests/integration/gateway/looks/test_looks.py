"""Tenants make looks, change them and archive them; a look that nobody can be painted in is refused."""

from __future__ import annotations

from typing import Any

import pytest

from headshots import schema
from headshots.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    HeadshotsError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
)
from headshots.v1 import foundations_pb2, images_pb2, looks_pb2
from tests.support.gateway.caller import Caller, refused
from tests.support.gateway.pools import FIRST, SECOND, Pools
from tests.support.gateway.world import World

SUIT, SHIRT = "styles/studio-navy-suit", "styles/stage-red-shirt"
FRAME = looks_pb2.Frame(width_px=96, height_px=120)
NAMED = looks_pb2.Frame(width_px=96, height_px=120, eye_line=0.45, head_height=0.72)
CLOSE = {"head_height": 0.78, "eye_line": 0.39}


async def create(caller: Caller, look_id: str = "office", **fields: Any) -> looks_pb2.Look:
    told = {"styles": [SUIT], "frame": FRAME, **fields}
    made = (await caller("CreateLook", looks_pb2.CreateLookRequest(look_id=look_id, **told))).look
    assert isinstance(made, looks_pb2.Look)
    return made


async def update(caller: Caller, **fields: Any) -> looks_pb2.Look:
    changed = (await caller("UpdateLook", looks_pb2.UpdateLookRequest(name="looks/office", **fields))).look
    assert isinstance(changed, looks_pb2.Look)
    return changed


async def test_a_look_has_the_defaults_of_the_contract(world: World) -> None:
    made = await create(world.acme, styles=[SUIT, SHIRT])
    assert (made.name, made.display_name, made.version, made.portraits) == ("looks/office", "office", 1, 2)
    assert (round(made.frame.eye_line, 6), round(made.frame.head_height, 6)) == (0.45, 0.72)
    assert (made.frame.width_px, made.frame.height_px) == (96, 120)
    assert (made.profile, made.seed_policy, made.seed) == ("profiles/profile-worthy", looks_pb2.SEED_POLICY_SAME, 0)
    assert (made.max_tries, made.max_repaints, made.format) == (3, 3, images_pb2.IMAGE_FORMAT_PNG)
    assert (await world.acme("GetLook", looks_pb2.GetLookRequest(name=made.name))).look == made


async def test_versions_are_kept_and_archived_looks_are_out_of_use(world: World) -> None:
    first = await create(world.acme)
    second = await update(world.acme, max_repaints=0, portraits=4, seed_policy=looks_pb2.SEED_POLICY_VARIED)
    assert (second.version, second.max_repaints, second.portraits) == (2, 0, 4)
    assert (second.frame, second.seed_policy) == (first.frame, looks_pb2.SEED_POLICY_VARIED)
    assert (await update(world.acme, portraits=4)).version == 2, "nothing differs"
    assert (await update(world.acme, seed=5, validate_only=True)).version == 3
    old = (await world.acme("GetLook", looks_pb2.GetLookRequest(name=first.name, version=1))).look
    assert old == first
    with refused(NotFoundError, "LOOK_VERSION_NOT_FOUND"):
        await world.acme("GetLook", looks_pb2.GetLookRequest(name=first.name, version=3))
    assert (await world.acme("ArchiveLook", looks_pb2.ArchiveLookRequest(name=first.name))).look.archived
    with refused(FailedPreconditionError, "LOOK_ARCHIVED"):
        await update(world.acme, seed=1)
    assert not (await world.acme("ListLooks", looks_pb2.ListLooksRequest())).looks
    assert len((await world.acme("ListLooks", looks_pb2.ListLooksRequest(include_archived=True))).looks) == 1
    with refused(AlreadyExistsError, "LOOK_EXISTS"):
        await create(world.acme)


@pytest.mark.parametrize(
    ("eye_line", "head_height", "size", "fields"),
    [
        pytest.param(0.24, 0.72, (96, 120), ["frame.eye_line"], id="more than the hair is cut off"),
        pytest.param(0.7, 0.72, (96, 120), ["frame.eye_line"], id="the chin is cut off"),
        pytest.param(0.5, 0.8, (64, 120), ["frame.head_height"], id="wider than the portrait"),
    ],
)
async def test_a_frame_that_cuts_the_head_is_refused(
    eye_line: float, head_height: float, size: tuple[int, int], fields: list[str], world: World
) -> None:
    frame = looks_pb2.Frame(width_px=size[0], height_px=size[1], eye_line=eye_line, head_height=head_height)
    with refused(InvalidArgumentError, "FRAME_IMPOSSIBLE") as caught:
        await create(world.acme, frame=frame)
    assert [violation.field for violation in caught.value.violations] == fields
    await create(world.acme)
    with refused(InvalidArgumentError, "FRAME_IMPOSSIBLE"):
        await update(world.acme, frame=frame)
    assert [row.version for row in world.rows(schema.looks)] == [1]


@pytest.mark.parametrize(
    ("cls", "reason", "fields"),
    [
        (InvalidArgumentError, "LOOK_INVALID", {"styles": []}),
        (InvalidArgumentError, "LOOK_INVALID", {"styles": [SUIT, SHIRT], "portraits": 1}),
        (InvalidArgumentError, "STYLE_UNKNOWN", {"styles": ["styles/nosuch"]}),
        (InvalidArgumentError, "PROFILE_UNKNOWN", {"profile": "profiles/nosuch"}),
        (InvalidArgumentError, "CONSTRAINT_VIOLATED", {"frame": None}),
        (InvalidArgumentError, "CONSTRAINT_VIOLATED", {"frame": looks_pb2.Frame(width_px=10, height_px=120)}),
        (InvalidArgumentError, "CONSTRAINT_VIOLATED", {"styles": [SUIT] * 2}),
    ],
)
async def test_what_no_team_can_be_ordered_in_is_refused(
    cls: type[HeadshotsError], reason: str, fields: dict[str, Any], world: World
) -> None:
    with refused(cls, reason):
        await create(world.acme, **fields)
    assert not world.rows(schema.looks)


async def test_looks_are_the_tenants(world: World) -> None:
    await create(world.acme, request_id="once")
    assert (await create(world.acme, request_id="once")).version == 1
    globex = world.caller(world.keys["globex"])
    with refused(NotFoundError, "LOOK_NOT_FOUND"):
        await globex("GetLook", looks_pb2.GetLookRequest(name="looks/office"))
    assert not (await globex("ListLooks", looks_pb2.ListLooksRequest())).looks
    assert (await create(globex)).version == 1


async def paints(world: World, heads: dict[str, float]) -> None:
    """The foundation is another one from now on, with heads like these."""
    world.generator.heads = heads
    await world.kill()
    await world.start()


def placed(look: looks_pb2.Look) -> tuple[float, float]:
    return round(look.frame.eye_line, 6), round(look.frame.head_height, 6)


async def test_what_a_frame_leaves_out_fits_the_default_foundation_and_stays(world: World) -> None:
    await paints(world, CLOSE)
    (told,) = (await world.acme("ListFoundations", foundations_pb2.ListFoundationsRequest())).foundations
    assert (round(told.head_height, 6), round(told.eye_line, 6)) == (0.78, 0.39)
    checked = await create(world.acme, validate_only=True)
    made = await create(world.acme)
    assert placed(checked) == placed(made) == (0.39, 0.94)
    await paints(world, {})
    assert placed((await world.acme("GetLook", looks_pb2.GetLookRequest(name=made.name))).look) == (0.39, 0.94)
    assert placed(await update(world.acme, seed=7)) == (0.39, 0.94), "whoever changes something else keeps the frame"
    assert placed(await update(world.acme, frame=FRAME)) == (0.45, 0.72)


async def test_a_frame_that_usual_portraits_have_no_room_for_is_refused_with_the_cure(world: World) -> None:
    await create(world.acme, frame=NAMED)
    await paints(world, CLOSE)
    for validate_only in (True, False):
        with refused(FailedPreconditionError, "FRAME_BEYOND_PORTRAITS") as caught:
            await create(world.acme, "close", frame=NAMED, validate_only=validate_only)
    (violation,) = caught.value.violations
    assert violation.field == "frame.head_height"
    assert "head height of 0.94 and an eye line of 0.39" in violation.description
    assert (await update(world.acme, seed=7)).version == 2, "the frame of an older look may stay"
    narrow = looks_pb2.Frame(width_px=90, height_px=120, eye_line=0.45, head_height=0.72)
    with refused(FailedPreconditionError, "FRAME_BEYOND_PORTRAITS"):
        await update(world.acme, frame=narrow)
    assert len(world.rows(schema.looks)) == 2


async def test_of_several_foundations_the_default_one_gives_the_frame_and_any_may_have_room_for_it(
    world: World,
) -> None:
    pools = Pools(world)
    world.generator.heads = CLOSE
    await pools.open()
    await pools.foundations(FIRST, SECOND)
    assert placed(await create(world.acme)) == (0.39, 0.94)
    # The second foundation does not tell what it paints.
    assert placed(await create(world.acme, "wide", frame=NAMED)) == (0.45, 0.72)
    pools.generator.heads = {"head_height": 0.9, "eye_line": 0.45}
    await pools.restart()
    await pools.foundations(FIRST, SECOND)
    with refused(FailedPreconditionError, "FRAME_BEYOND_PORTRAITS") as caught:
        await create(world.acme, "none", frame=NAMED)
    assert "heads are painted 0.78 high" in caught.value.message, "the default foundation's is told"


async def test_before_any_generator_has_told_a_frame_has_to_be_named(world: World) -> None:
    await world.kill()
    await world.stop_peer(world.generator_port)
    with world.database.begin() as connection:
        connection.execute(schema.pools.delete())
    await world.start()
    with refused(UnavailableError, "GENERATOR_UNREACHABLE") as caught:
        await create(world.acme)
    assert "name the eye line and the head height" in caught.value.message
    assert placed(await create(world.acme, frame=NAMED)) == (0.45, 0.72)
