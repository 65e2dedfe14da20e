"""Acceptance profiles are built in or a tenant's own, in versions, and galleries keep the one they were made with."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from headshots import schema
from headshots.acceptance.profiles import BUILT_IN, PROFILE_WORTHY
from headshots.errors import AlreadyExistsError, FailedPreconditionError, InvalidArgumentError, NotFoundError
from headshots.v1 import galleries_pb2, images_pb2, profiles_pb2
from tests.support.gateway.caller import Caller, refused
from tests.support.gateway.judging import paints, reasons, sitter
from tests.support.gateway.world import World


def profile_in(answer: Any) -> profiles_pb2.Profile:
    assert isinstance(answer.profile, profiles_pb2.Profile)
    return answer.profile


async def create(
    caller: Caller, profile_id: str = "mine", *, limits: dict[str, float] | None = None, **fields: Any
) -> profiles_pb2.Profile:
    told = profiles_pb2.AcceptanceLimits(**(limits or {}))
    request = profiles_pb2.CreateProfileRequest(profile_id=profile_id, limits=told, **fields)
    return profile_in(await caller("CreateProfile", request))


async def update(
    caller: Caller, name: str = "profiles/mine", *, limits: dict[str, float] | None = None, **fields: Any
) -> profiles_pb2.Profile:
    told = profiles_pb2.AcceptanceLimits(**(limits or {}))
    return profile_in(
        await caller("UpdateProfile", profiles_pb2.UpdateProfileRequest(name=name, limits=told, **fields))
    )


async def get(caller: Caller, name: str, version: int = 0) -> profiles_pb2.Profile:
    return profile_in(await caller("GetProfile", profiles_pb2.GetProfileRequest(name=name, version=version)))


async def names(caller: Caller, **page: Any) -> list[str]:
    answer = await caller("ListProfiles", profiles_pb2.ListProfilesRequest(**page))
    return [profile.name for profile in answer.profiles]


async def test_every_tenant_has_the_built_in_ones(world: World) -> None:
    assert await names(world.acme) == [f"profiles/{name}" for name in sorted(BUILT_IN)]
    found = await get(world.acme, "profiles/profile-worthy")
    assert (found.version, found.built_in, found.HasField("create_time")) == (PROFILE_WORTHY.version, True, False)
    limits = {field.name: value for field, value in found.limits.ListFields()}
    assert limits == pytest.approx(PROFILE_WORTHY.limits.to_json())


async def test_a_profile_of_ones_own_has_versions_and_is_nobody_elses(world: World) -> None:
    made = await create(world.acme, limits={"min_face_share": 0.4}, display_name="Ours", description="Large faces.")
    assert (made.name, made.version, made.built_in, made.display_name) == ("profiles/mine", 1, False, "Ours")
    assert made.limits.min_face_share == pytest.approx(0.4)
    assert made.limits.min_sharpness == pytest.approx(PROFILE_WORTHY.limits.min_sharpness)
    assert await update(world.acme, limits={"min_face_share": 0.4}, display_name="Ours") == made
    assert (await update(world.acme, display_name="", validate_only=True)).display_name == "mine"
    changed = await update(world.acme, limits={"min_sharpness": 0.5})
    assert (changed.version, changed.description) == (2, "Large faces.")
    assert (changed.limits.min_face_share, changed.limits.min_sharpness) == pytest.approx((0.4, 0.5))
    assert await get(world.acme, "profiles/mine") == changed
    assert await get(world.acme, "profiles/mine", 1) == made
    assert await names(world.acme) == ["profiles/mine", "profiles/profile-worthy", "profiles/strict"]
    globex = world.caller(world.keys["globex"])
    assert "profiles/mine" not in await names(globex)
    for call in (get(globex, "profiles/mine"), update(globex)):
        with refused(NotFoundError, "PROFILE_NOT_FOUND"):
            await call
    subject = await globex.trained_subject()
    with refused(InvalidArgumentError, "PROFILE_UNKNOWN"):
        await globex.gallery(subject, profile="profiles/mine")


async def test_pages_of_own_and_built_in_ones_go_by_name(world: World) -> None:
    await create(world.acme, "a-first")
    await create(world.acme, "zz-last")
    first = await world.acme("ListProfiles", profiles_pb2.ListProfilesRequest(page_size=2))
    rest = await names(world.acme, page_token=first.next_page_token)
    assert [*(profile.name for profile in first.profiles), *rest] == [
        "profiles/a-first",
        "profiles/profile-worthy",
        "profiles/strict",
        "profiles/zz-last",
    ]


async def test_what_cannot_be_made_is_refused_and_makes_nothing(world: World) -> None:
    with refused(AlreadyExistsError, "PROFILE_EXISTS"):
        await create(world.acme, "strict")
    with refused(FailedPreconditionError, "PROFILE_BUILT_IN"):
        await update(world.acme, "profiles/strict", limits={"min_sharpness": 0.1})
    for limits in ({"min_sharpness": 1.5}, {"max_likeness_spreads": 0.5}, {"min_face_share": float("nan")}):
        with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
            await create(world.acme, limits=limits)
    await create(world.acme, validate_only=True)
    assert world.rows(schema.profiles) == []
    await create(world.acme)
    with refused(AlreadyExistsError, "PROFILE_EXISTS"):
        await create(world.acme)
    assert (await update(world.acme, limits={"min_sharpness": 0.9}, validate_only=True)).version == 2
    assert len(world.rows(schema.profiles)) == 1
    with refused(NotFoundError, "PROFILE_VERSION_NOT_FOUND"):
        await get(world.acme, "profiles/mine", 2)
    with refused(NotFoundError, "PROFILE_NOT_FOUND"):
        await get(world.acme, "profiles/none")


async def test_the_same_request_id_makes_one_profile(world: World) -> None:
    made = await create(world.acme, request_id="once")
    assert await create(world.acme, request_id="once") == made
    with refused(AlreadyExistsError, "REQUEST_ID_REUSED"):
        await create(world.acme, "other", request_id="once")
    changed = await update(world.acme, limits={"min_sharpness": 0.9})
    assert await create(world.acme, request_id="once") == changed
    assert len(world.rows(schema.profiles)) == 2


async def test_two_changes_at_once_make_two_versions(world: World) -> None:
    await create(world.acme)
    limits = ({"min_sharpness": 0.9}, {"min_face_share": 0.5})
    await asyncio.gather(*(update(world.acme, limits=each) for each in limits))
    newest = await get(world.acme, "profiles/mine")
    assert newest.version == 3
    assert (newest.limits.min_sharpness, newest.limits.min_face_share) == pytest.approx((0.9, 0.5))


async def test_a_gallery_keeps_the_version_that_it_was_made_with(world: World) -> None:
    subject = await sitter(world)
    paints(world, [0, 1])
    await create(world.acme)
    world.generator.hold()
    name = await world.acme.gallery(subject, shots_per_style=1, profile="profiles/mine")
    await update(world.acme, limits={"min_face_share": 0.8})
    world.generator.permit()
    first = await world.acme.finished_gallery(name)
    assert (first.profile, first.profile_version) == ("profiles/mine", 1)
    assert first.guarantee == galleries_pb2.GUARANTEE_MET
    again = await world.acme.gallery(subject, shots_per_style=1, seed=1, profile="profiles/mine")
    second = await world.acme.finished_gallery(again)
    assert (second.profile_version, second.guarantee) == (2, galleries_pb2.GUARANTEE_NOT_MET)
    assert reasons(second.images[0]) == ["FACE_TOO_SMALL"]
    assert second.images[0].verdict.profile_version == 2
    assert second.images[0].verdict.acceptance == images_pb2.ACCEPTANCE_REFUSED
