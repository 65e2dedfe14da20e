"""Defines verdicts of images and the limits that they are held to, as the SDK hands them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Acceptance(StrEnum):
    """Whether an acceptance profile is content with an image."""

    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    NOT_MEASURED = "NOT_MEASURED"
    """There was nothing to measure with, or no face in the person's photos: never a pass."""


class Guarantee(StrEnum):
    """Whether as many accepted images were delivered as were asked for."""

    MET = "MET"
    NOT_MET = "NOT_MET"
    NOT_MEASURED = "NOT_MEASURED"


@dataclass(frozen=True)
class Check:
    """One check of an image: a stable UPPER_SNAKE reason, and one sentence for people.

    `measured` and `limit` are in the same unit; both are None where there was nothing to measure.
    """

    reason: str
    passed: bool
    measured: float | None
    limit: float | None
    message: str


@dataclass(frozen=True)
class Verdict:
    """What a version of an acceptance profile says of an image. `analyzer` is empty without one."""

    acceptance: Acceptance
    profile: str
    profile_version: int
    analyzer: str
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that the image did not pass."""
        return tuple(check for check in self.checks if not check.passed)


@dataclass(frozen=True)
class AcceptanceLimits:
    """What a portrait must reach, a limit a check. None takes that of `profiles/profile-worthy`, or leaves it as it is.

    The contract (`profiles.proto`) tells the unit and range of each. Profiles that the server sends have them all.
    """

    max_likeness_spreads: float | None = None
    min_face_share: float | None = None
    max_face_outside: float | None = None
    max_face_offset: float | None = None
    min_eye_contrast: float | None = None
    max_light_imbalance: float | None = None
    max_colour_distance: float | None = None
    min_sharpness: float | None = None
    min_skin_texture: float | None = None
    min_difference: float | None = None


@dataclass(frozen=True)
class Profile:
    """A versioned set of limits, built in or the tenant's own."""

    name: str
    display_name: str
    description: str
    version: int
    limits: AcceptanceLimits
    built_in: bool
    create_time: datetime | None
    """When this version was made; None where it is built in."""
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    external_id: str = ""


ProfileRef = Profile | str
