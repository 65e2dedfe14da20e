"""Answers the calls about acceptance profiles."""

from __future__ import annotations

from typing import Any

from headshots.acceptance.profiles import BUILT_IN
from headshots.errors import FailedPreconditionError
from headshots.v1 import profiles_pb2
from tests.support.fake_gateway.state import FakeState, find, labelled, page


class FakeProfiles(FakeState):
    """The built-in profiles, and those that the tenant makes."""

    def __init__(self) -> None:
        super().__init__()
        self.profiles = {f"profiles/{name}": _built_in(name) for name in BUILT_IN}

    async def CreateProfile(
        self, request: profiles_pb2.CreateProfileRequest, context: Any
    ) -> profiles_pb2.CreateProfileResponse:
        self.enter("CreateProfile", request)
        profile = _built_in("profile-worthy")
        profile.name, profile.version, profile.built_in = f"profiles/{request.profile_id}", 1, False
        profile.display_name = request.display_name or request.profile_id
        profile.description = request.description
        profile.MergeFrom(profiles_pb2.Profile(**labelled(request)))
        profile.limits.MergeFrom(request.limits)
        profile.create_time.GetCurrentTime()
        if not request.validate_only:
            self.profiles[profile.name] = profile
        return profiles_pb2.CreateProfileResponse(profile=profile)

    async def ListProfiles(
        self, request: profiles_pb2.ListProfilesRequest, context: Any
    ) -> profiles_pb2.ListProfilesResponse:
        self.enter("ListProfiles", request)
        items, token = page(sorted(self.profiles.values(), key=lambda profile: str(profile.name)), request)
        return profiles_pb2.ListProfilesResponse(profiles=items, next_page_token=token)

    async def GetProfile(
        self, request: profiles_pb2.GetProfileRequest, context: Any
    ) -> profiles_pb2.GetProfileResponse:
        self.enter("GetProfile", request)
        return profiles_pb2.GetProfileResponse(profile=find(self.profiles, request.name, "PROFILE_NOT_FOUND"))

    async def UpdateProfile(
        self, request: profiles_pb2.UpdateProfileRequest, context: Any
    ) -> profiles_pb2.UpdateProfileResponse:
        self.enter("UpdateProfile", request)
        changed = profiles_pb2.Profile()
        changed.CopyFrom(find(self.profiles, request.name, "PROFILE_NOT_FOUND"))
        if changed.built_in:
            raise FailedPreconditionError("PROFILE_BUILT_IN", f"{request.name} is built in")
        changed.version += 1
        changed.limits.MergeFrom(request.limits)
        if request.HasField("display_name"):
            changed.display_name = request.display_name
        if request.HasField("description"):
            changed.description = request.description
        if not request.validate_only:
            self.profiles[request.name] = changed
        return profiles_pb2.UpdateProfileResponse(profile=changed)


def _built_in(name: str) -> profiles_pb2.Profile:
    profile = BUILT_IN[name]
    return profiles_pb2.Profile(
        name=f"profiles/{name}",
        display_name=profile.display_name,
        description=profile.description,
        version=profile.version,
        limits=profiles_pb2.AcceptanceLimits(**profile.limits.to_json()),
        built_in=True,
    )
