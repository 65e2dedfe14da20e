"""Answers the RPCs of acceptance profiles: decode, one engine call, encode."""

from __future__ import annotations

from typing import Any

import grpc.aio

from headshots.rpc.auth import current_tenant
from headshots.v1 import profiles_pb2, profiles_pb2_grpc
from services.gateway.api.convert import idempotency_key
from services.gateway.api.labels import Labelling
from services.gateway.api.names import ids
from services.gateway.api.pages import DEFAULT_PAGE, cut_page, decode_token
from services.gateway.profiles import convert
from services.gateway.profiles.engine import ProfileEngine
from services.gateway.profiles.models import ListedProfile


class ProfileServicer(profiles_pb2_grpc.ProfileServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, engine: ProfileEngine) -> None:
        self._engine = engine

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        profiles_pb2_grpc.add_ProfileServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [profiles_pb2.DESCRIPTOR.services_by_name["ProfileService"].full_name]

    async def CreateProfile(
        self, request: profiles_pb2.CreateProfileRequest, context: Any
    ) -> profiles_pb2.CreateProfileResponse:
        """Creates a profile."""
        made = await self._engine.create(
            current_tenant(),
            convert.new_profile(request),
            Labelling.of_request(request),
            key=idempotency_key(request),
            validate_only=request.validate_only,
        )
        return profiles_pb2.CreateProfileResponse(profile=convert.profile(made))

    async def ListProfiles(
        self, request: profiles_pb2.ListProfilesRequest, context: Any
    ) -> profiles_pb2.ListProfilesResponse:
        """A page of profiles."""
        size = request.page_size or DEFAULT_PAGE
        (after,) = decode_token(request.page_token, (str,)) or ("",)
        found = await self._engine.list_after(current_tenant(), Labelling.of_request(request), str(after), size + 1)
        page, token = cut_page(found, size, _position)
        return profiles_pb2.ListProfilesResponse(profiles=map(convert.profile, page), next_page_token=token)

    async def GetProfile(
        self, request: profiles_pb2.GetProfileRequest, context: Any
    ) -> profiles_pb2.GetProfileResponse:
        """One profile."""
        (name,) = ids(request.name)
        found = await self._engine.get(current_tenant(), name, request.version)
        return profiles_pb2.GetProfileResponse(profile=convert.profile(found))

    async def UpdateProfile(
        self, request: profiles_pb2.UpdateProfileRequest, context: Any
    ) -> profiles_pb2.UpdateProfileResponse:
        """Makes a new version."""
        (name,) = ids(request.name)
        changed = await self._engine.update(
            current_tenant(), name, convert.change(request), validate_only=request.validate_only
        )
        return profiles_pb2.UpdateProfileResponse(profile=convert.profile(changed))


def _position(listed: ListedProfile) -> tuple[float | str, ...]:
    return (listed.profile.name,)
