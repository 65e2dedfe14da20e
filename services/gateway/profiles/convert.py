"""Converts acceptance profiles between dataclasses and protobuf."""

from __future__ import annotations

from headshots.acceptance.profiles import PROFILE_WORTHY, Profile
from headshots.v1 import profiles_pb2
from services.gateway.api import names
from services.gateway.api.convert import optional_timestamp
from services.gateway.profiles.models import ListedProfile, ProfileChange

_LIMITS = [field.name for field in profiles_pb2.AcceptanceLimits.DESCRIPTOR.fields]


def profile(value: ListedProfile) -> profiles_pb2.Profile:
    """A profile."""
    return profiles_pb2.Profile(
        name=names.profile_name(value.profile.name),
        display_name=value.profile.display_name,
        description=value.profile.description,
        version=value.profile.version,
        limits=profiles_pb2.AcceptanceLimits(**value.profile.limits.to_json()),
        built_in=value.built_in,
        create_time=optional_timestamp(value.created_at),
        **value.labelling.fields,
    )


def new_profile(request: profiles_pb2.CreateProfileRequest) -> Profile:
    """The first version that a caller asks for; limits that are not told are those of `profile-worthy`."""
    return Profile(
        name=request.profile_id,
        display_name=request.display_name or request.profile_id,
        description=request.description,
        version=1,
        limits=ProfileChange(limits=_limits(request.limits)).applied_to(PROFILE_WORTHY).limits,
    )


def change(request: profiles_pb2.UpdateProfileRequest) -> ProfileChange:
    """What a caller changes."""
    return ProfileChange(
        display_name=names.new_display_name(request),
        description=request.description if request.HasField("description") else None,
        limits=_limits(request.limits),
    )


def _limits(message: profiles_pb2.AcceptanceLimits) -> dict[str, float]:
    # A float of the contract has seven digits: 0.2 comes as 0.20000000298.
    return {name: float(f"{getattr(message, name):.6g}") for name in _LIMITS if message.HasField(name)}
