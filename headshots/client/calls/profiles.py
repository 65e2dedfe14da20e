"""Calls the gateway about acceptance profiles."""

from __future__ import annotations

from collections.abc import AsyncIterator

from headshots.client.connection import Connection, new_request_id
from headshots.client.convert import verdicts as convert
from headshots.client.convert.labels import wire_labelling
from headshots.client.models.labels import Labelling
from headshots.client.models.verdicts import AcceptanceLimits, Profile, ProfileRef
from headshots.client.names import Kind, resource_name
from headshots.v1 import profiles_pb2


class ProfileCalls(Connection):
    """What portraits must reach: built-in profiles and the tenant's own."""

    async def create_profile(
        self,
        profile_id: str,
        limits: AcceptanceLimits | None = None,
        *,
        display_name: str = "",
        description: str = "",
        labelling: Labelling | None = None,
        request_id: str | None = None,
        validate_only: bool = False,
    ) -> Profile:
        """Make a profile of the tenant's own, usable at once.

        Args:
            profile_id: the last part of its name, 1 to 64 characters of a-z, 0-9 and -.
            limits: what it asks; those that are None are those of `profiles/profile-worthy`.
            display_name: for people, at most 256 characters; default `profile_id`.
            description: one sentence, at most 256 characters.
            labelling: labels and an external id of your own.
            request_id: the same id with the same arguments answers the same profile; default a new one.
            validate_only: check everything and make nothing.

        Raises:
            AlreadyExistsError: a profile has that name.
            InvalidArgumentError: a limit is beyond its range.
        """
        request = profiles_pb2.CreateProfileRequest(
            profile_id=profile_id,
            display_name=display_name,
            description=description,
            limits=convert.wire_limits(limits),
            request_id=request_id or new_request_id(),
            **wire_labelling(labelling),
            validate_only=validate_only,
        )
        return convert.profile((await self._unary("CreateProfile", request)).profile)

    async def list_profiles(self, *, labelling: Labelling | None = None, page_size: int = 0) -> AsyncIterator[Profile]:
        """All profiles, by name, each in its newest version."""
        request = profiles_pb2.ListProfilesRequest(page_size=page_size, **wire_labelling(labelling))
        async for item in self._pages("ListProfiles", request, "profiles"):
            yield convert.profile(item)

    async def get_profile(self, profile: ProfileRef, *, version: int = 0) -> Profile:
        """One profile, by `profiles/{profile}` or its bare id; version 0 is the newest.

        Raises:
            NotFoundError: no such profile, or no such version of it.
        """
        request = profiles_pb2.GetProfileRequest(name=resource_name(profile, Kind.PROFILE), version=version)
        return convert.profile((await self._unary("GetProfile", request)).profile)

    async def update_profile(
        self,
        profile: ProfileRef,
        limits: AcceptanceLimits | None = None,
        *,
        display_name: str | None = None,
        description: str | None = None,
        validate_only: bool = False,
    ) -> Profile:
        """Make a new version of a profile of the tenant's own; what is None stays as it is. Galleries keep theirs.

        Raises:
            NotFoundError: no such profile.
            FailedPreconditionError: it is built in.
            InvalidArgumentError: a limit is beyond its range.
        """
        request = profiles_pb2.UpdateProfileRequest(
            name=resource_name(profile, Kind.PROFILE),
            limits=convert.wire_limits(limits),
            display_name=display_name,
            description=description,
            validate_only=validate_only,
        )
        return convert.profile((await self._unary("UpdateProfile", request)).profile)
