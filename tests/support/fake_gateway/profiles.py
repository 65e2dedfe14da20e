"""Answers the calls about acceptance profiles."""

from __future__ import annotations

from typing import Any

from headshots.errors import FailedPreconditionError
from headshots.v1 import profiles_pb2
from tests.support.fake_gateway.state import FakeState, find, page

LIMITS = profiles_pb2.AcceptanceLimits(
    max_likeness_spreads=2.0,
    min_face_share=0.25,
    max_face_outside=0.0,
    max_face_offset=0.25,
    min_eye_contrast=0.5,
    max_light_imbalance=0.5,
    max_colour_distance=20.0,
    min_sharpness=0.5,
    min_skin_texture=0.25,
    min_difference=0.125,
)


class FakeProfiles(FakeState):
    """One profile that is built in, and those that the tenant makes."""

    def __init__(self) -> None:
        super().__init__()
        worthy = profiles_pb2.Profile(
            name="profiles/profile-worthy",
            display_name="Profile-worthy",
            description="Fit for a profile picture.",
            version=1,
            limits=LIMITS,
            built_in=True,
        )
        self.profiles = {worthy.name: worthy}

    async def CreateProfile(
        self, request: profiles_pb2.CreateProfileRequest, context: Any
    ) -> profiles_pb2.CreateProfileResponse:
        self.enter("CreateProfile", request)
        profile = profiles_pb2.Profile(
            name=f"profiles/{request.profile_id}",
            display_name=request.display_name or request.profile_id,
            description=request.description,
            version=1,
            limits=LIMITS,
        )
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
