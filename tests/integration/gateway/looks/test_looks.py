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
)
from headshots.v1 import images_pb2, looks_pb2
from tests.support.gateway.caller import Caller, refused
from tests.support.gateway.world import World

SUIT, SHIRT = "styles/studio-navy-suit", "styles/stage-red-shirt"
FRAME = looks_pb2.Frame(width_px=96, height_px=120)


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
