"""Acceptance profiles: versioned limits under a name, and the two that every tenant has.

The limits of the built-in ones were chosen with `python -m benchmarks.acceptance`; docs/decisions/0021 has the figures.
A changed limit raises the version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from headshots.acceptance.limits import AcceptanceLimits


@dataclass(frozen=True, slots=True)
class Profile:
    """A version of a profile."""

    name: str
    """1 to 64 characters of a-z, 0-9 and -, without `profiles/`."""
    display_name: str
    description: str
    version: int
    """From 1."""
    limits: AcceptanceLimits

    def to_json(self) -> dict[str, Any]:
        """For rows."""
        return {
            "name": self.name,
            "display_name": self.display_name,
            "description": self.description,
            "version": self.version,
            "limits": self.limits.to_json(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Profile:
        """Inverse of `to_json`."""
        return cls(**{**value, "limits": AcceptanceLimits.from_json(value["limits"])})


PROFILE_WORTHY = Profile(
    name="profile-worthy",
    display_name="Profile-worthy",
    description="Fit for a profile picture: the person, alone, whole, awake, well lit and sharp.",
    version=2,
    limits=AcceptanceLimits(
        max_likeness_spreads=2.0,
        min_face_share=0.2,
        max_face_outside=0.05,
        max_face_offset=0.25,
        min_eye_contrast=0.37,
        max_light_imbalance=0.55,
        max_colour_distance=7.0,
        min_sharpness=0.2,
        min_skin_texture=0.2,
        min_difference=0.065,
    ),
)
STRICT = Profile(
    name="strict",
    display_name="Strict",
    description="As profile-worthy, each limit tighter: for pictures that stand alone, as on a title page.",
    version=2,
    limits=AcceptanceLimits(
        max_likeness_spreads=1.5,
        min_face_share=0.3,
        max_face_outside=0.02,
        max_face_offset=0.15,
        min_eye_contrast=0.5,
        max_light_imbalance=0.45,
        max_colour_distance=5.5,
        min_sharpness=0.35,
        min_skin_texture=0.3,
        min_difference=0.1,
    ),
)
BUILT_IN: Mapping[str, Profile] = MappingProxyType({each.name: each for each in (PROFILE_WORTHY, STRICT)})
"""By name."""
