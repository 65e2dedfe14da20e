"""Tests that the SDK makes, changes and lists acceptance profiles, against a gateway in memory."""

from __future__ import annotations

import pytest

from headshots.acceptance.profiles import PROFILE_WORTHY
from headshots.client import AcceptanceLimits, AsyncHeadshots
from headshots.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError
from tests.support.fake_gateway.gateway import FakeGateway


async def test_a_profile_is_made_and_changed(client: AsyncHeadshots, fake: FakeGateway) -> None:
    limits = AcceptanceLimits(min_sharpness=0.75)
    assert (await client.create_profile("team", limits, validate_only=True)).name == "profiles/team"
    assert "profiles/team" not in fake.profiles
    made = await client.create_profile("team", limits, display_name="Team")
    assert (made.version, made.built_in, made.display_name) == (1, False, "Team")
    worthy = PROFILE_WORTHY.limits
    assert (made.limits.min_sharpness, made.limits.min_face_share) == (0.75, worthy.min_face_share)
    changed = await client.update_profile(made, AcceptanceLimits(min_face_share=0.5), description="Faces are large.")
    assert (changed.version, changed.description, changed.display_name) == (2, "Faces are large.", "Team")
    assert (changed.limits.min_sharpness, changed.limits.min_face_share) == (0.75, 0.5)
    assert await client.get_profile("team") == changed
    assert [each.name async for each in client.list_profiles()] == [
        "profiles/profile-worthy",
        "profiles/strict",
        "profiles/team",
    ]


async def test_limits_of_a_profile_are_all_there_as_they_were_written(client: AsyncHeadshots) -> None:
    worthy = await client.get_profile("profile-worthy")
    assert worthy.built_in
    assert vars(worthy.limits) == PROFILE_WORTHY.limits.to_json()
    zero = await client.create_profile("zero", AcceptanceLimits(max_face_outside=0.0))
    assert zero.limits.max_face_outside == 0.0, "a limit of 0 is a limit"


async def test_wrong_profiles_raise(client: AsyncHeadshots) -> None:
    with pytest.raises(InvalidArgumentError, match="min_sharpness"):
        await client.create_profile("team", AcceptanceLimits(min_sharpness=2.0))
    with pytest.raises(NotFoundError):
        await client.get_profile("nosuch")
    with pytest.raises(FailedPreconditionError):
        await client.update_profile("profile-worthy", AcceptanceLimits(min_sharpness=0.1))
