"""Defines acceptance profiles as they are listed, and their changes, as frozen dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from headshots.acceptance.profiles import Profile
from services.gateway.api.labels import Labelling


@dataclass(frozen=True)
class ListedProfile:
    """A version of a profile, built in or a tenant's own."""

    profile: Profile
    built_in: bool
    created_at: float | None = None
    """When this version was made; None where it is built in."""
    labelling: Labelling = field(default_factory=Labelling)
    """Of all versions."""


@dataclass(frozen=True)
class ProfileChange:
    """What a caller changes; None stays as it is."""

    display_name: str | None = None
    description: str | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    """The limits that change, by their names in `AcceptanceLimits`."""

    def applied_to(self, profile: Profile) -> Profile:
        """The next version, or `profile` itself where nothing differs."""
        changed = dataclasses.replace(
            profile,
            display_name=profile.display_name if self.display_name is None else self.display_name,
            description=profile.description if self.description is None else self.description,
            limits=dataclasses.replace(profile.limits, **self.limits),
        )
        return profile if changed == profile else dataclasses.replace(changed, version=profile.version + 1)
