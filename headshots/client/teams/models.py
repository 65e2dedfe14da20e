"""Defines looks and teams as the SDK hands them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from headshots.client.models.images import ImageFormat
from headshots.client.models.jobs import Failure, Job, JobState
from headshots.client.models.shoots import Quote
from headshots.client.models.verdicts import ProfileRef


class SeedPolicy(StrEnum):
    """Which seeds the members of a team are painted from."""

    SAME = "SAME"
    """All from the same: the same composition, as far as they are alike."""
    VARIED = "VARIED"


class TeamFault(StrEnum):
    """What a portrait falls out of its team by."""

    NOT_MEASURED = "NOT_MEASURED"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    EYE_LINE = "EYE_LINE"
    HEAD_HEIGHT = "HEAD_HEIGHT"
    BACKDROP = "BACKDROP"
    LIGHT = "LIGHT"


@dataclass(frozen=True)
class Frame:
    """The size of a portrait, and where the head stands in it. None takes the server's default: 0.45 and 0.72."""

    width_px: int
    """64 to 2048."""
    height_px: int
    """64 to 2048."""
    eye_line: float | None = None
    """From the upper edge to the middle of the eyes, share of the height; None: what fits the default foundation."""
    head_height: float | None = None
    """From the chin to the crown, without hair, share of the height; None: the same. Up to 15 % of it may be cut."""


@dataclass(frozen=True)
class LookOptions:
    """What a look leaves to the server unless it is said; of an update what is None stays as it is."""

    portraits: int | None = None
    """Of each member, up to 32; None or 0: one for each style."""
    profile: ProfileRef | None = None
    """What judges portraits; None or empty takes `profiles/profile-worthy`."""
    seed_policy: SeedPolicy | None = None
    """None: SAME."""
    seed: int | None = None
    max_tries: int | None = None
    """Seeds for each portrait, 1 to 10; None or 0: 3."""
    max_repaints: int | None = None
    """How often a portrait that falls out is painted anew, 0 to 5; None: 2."""
    format: ImageFormat | None = None
    """None: PNG."""
    quality: int | None = None


@dataclass(frozen=True)
class Look:
    """A version of what a team's portraits have in common."""

    name: str
    display_name: str
    description: str
    version: int
    styles: tuple[str, ...]
    portraits: int
    """Of each member."""
    frame: Frame
    profile: str
    seed_policy: SeedPolicy
    seed: int
    max_tries: int
    max_repaints: int
    format: ImageFormat
    quality: int
    """Of JPEG and WebP; 0: the default of 92."""
    archived: bool
    create_time: datetime | None
    """When this version was made."""
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    external_id: str = ""


@dataclass(frozen=True)
class TeamMeasures:
    """What was measured of a finished portrait, or the median of several."""

    eye_line: float
    """From the upper edge to the middle of the eyes, share of the height."""
    head_height: float
    """From the chin to the crown, without hair, share of the height."""
    light_balance: float
    """Above 0 light comes from the picture's left, -2 to 2."""
    backdrop: tuple[float, float, float] | None
    """CIELAB's L, a and b; None: not measured."""


@dataclass(frozen=True)
class TeamDeviation:
    """How far a portrait is from its team in a measure that it falls out by."""

    fault: TeamFault
    """EYE_LINE, HEAD_HEIGHT, BACKDROP or LIGHT."""
    apart: float
    """From the median of its style: a share of the height, CIEDE2000, or of the light balance."""
    allowed: float
    """In the same unit."""


@dataclass(frozen=True)
class TeamPortrait:
    """One portrait of a member, as it counts now."""

    image: str
    style: str
    accepted: bool
    measures: TeamMeasures | None
    """None: not measured."""
    faults: tuple[TeamFault, ...]
    """What it falls out by; none before all members are painted."""
    repaints: int
    """How often it was painted anew, whichever image is kept."""
    deviations: tuple[TeamDeviation, ...] = ()
    """By how much it falls out, of each fault that is a measure."""


@dataclass(frozen=True)
class TeamMember:
    """One person of a team. `shoot` is empty before it is made."""

    subject: str
    state: JobState
    shoot: str
    failure: Failure | None
    status_message: str
    asked: int
    delivered: int
    """Accepted portraits so far."""
    portraits: tuple[TeamPortrait, ...]
    join_time: datetime | None
    quote: Quote | None
    """What its shoot was expected to take; None before it is made."""


@dataclass(frozen=True)
class StyleConsistency:
    """How alike the accepted portraits of one style are, of all members; `outliers` names images that fall out."""

    style: str
    portraits: int
    medians: TeamMeasures
    eye_line_spread: float
    """The largest less the smallest, share of the height."""
    head_height_spread: float
    light_balance_spread: float
    backdrop_delta_e: float | None
    """CIEDE2000 of two backdrops, median over all pairs; None: fewer than two were measured."""
    outliers: tuple[str, ...]


@dataclass(frozen=True)
class Team(Job):
    """An order for several people in one look. SUCCEEDED: every member has ended, at least one with portraits."""

    name: str
    state: JobState
    look: str
    look_version: int
    members: tuple[TeamMember, ...]
    consistency: tuple[StyleConsistency, ...]
    failure: Failure | None
    status_message: str
    create_time: datetime | None
    end_time: datetime | None
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    external_id: str = ""


LookRef = Look | str
TeamRef = Team | str
