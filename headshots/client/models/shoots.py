"""Defines shoots as the SDK hands them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from headshots.client.models.foundations import FoundationRef
from headshots.client.models.images import Image, ImageFormat, StyleSeeds
from headshots.client.models.jobs import Failure, Job, JobState, Priority, TrainingProgress
from headshots.client.models.photos import PhotoRef
from headshots.client.models.verdicts import Guarantee, ProfileRef


class ShootStage(StrEnum):
    """What a shoot is at."""

    TRAINING = "TRAINING"
    PAINTING = "PAINTING"
    ENDED = "ENDED"


@dataclass(frozen=True)
class ShootOptions:
    """What a shoot leaves to the server unless it is said: what it learns from, how it paints, what it is judged by."""

    photos: Sequence[PhotoRef] = ()
    """6 to 100 photos to learn from, which trains anew; none takes all that are usable."""
    retrain: bool = False
    """Trains anew also where the subject has an adapter of this foundation."""
    profile: ProfileRef = ""
    """What judges the images; empty takes `profiles/profile-worthy`."""
    max_tries: int = 0
    """Seeds for each portrait, 1 to 10, that all portraits share; 0 takes the server's default of 3."""
    seed: int = 0
    """The first, 0 to 2^32-1."""
    format: ImageFormat = ImageFormat.PNG
    quality: int = 0
    """Of JPEG and WebP, 1 to 100; 0 takes the server's default."""
    priority: Priority = Priority.STANDARD
    deadline: datetime | None = None
    """When it has to be finished, with a time zone; what half of such shoots would miss is refused."""
    allow_unjudged: bool = False
    """With an earlier adapter: paints also where the subject's photos are gone and nothing can be judged."""
    foundation: FoundationRef = ""
    """Of the adapter, be it an earlier one or new; empty: an earlier one that serves, else new on the default."""
    style_seeds: StyleSeeds | None = None
    """Whether styles have seeds of their own; None takes the server's default: they have."""


@dataclass(frozen=True)
class Quote:
    """What a shoot will take, as earlier trainings and galleries of the installation tell.

    The times and `device_seconds` are None where nothing was measured yet, and `measured_on` is 0.
    """

    queue_place: int
    expected_finish_time: datetime | None
    """When half of such shoots would be finished."""
    latest_finish_time: datetime | None
    """When nine of ten would be."""
    training_steps: int
    """0 where an adapter is used that exists."""
    images: int
    """Expected to be painted, tries included."""
    device_seconds: float | None
    measured_on: int
    """Trainings and galleries that the estimate is made of."""
    beyond_expiry: bool = False
    """Whether half of such shoots would end after the subject's `expire_time`, when they would be stopped."""


@dataclass(frozen=True)
class Shoot(Job):
    """One order from selfies to accepted portraits.

    `asked` portraits over `styles`, `style_shots` of each; `delivered` counts the accepted ones so far, `tries` all
    seeds. `training` is the one whose adapter is taken: the shoot's own where `trains`. `gallery` is empty before
    painting begins. SUCCEEDED means that every shot has an image; `guarantee` says whether all are accepted.
    """

    name: str
    state: JobState
    stage: ShootStage
    training: str
    trains: bool
    gallery: str
    pack: str
    styles: tuple[str, ...]
    style_shots: tuple[int, ...]
    asked: int
    delivered: int
    tries: int
    max_tries: int
    profile: str
    profile_version: int
    guarantee: Guarantee | None
    training_step: int
    training_total_steps: int
    completed_shots: int
    quote: Quote
    deadline: datetime | None
    failure: Failure | None
    status_message: str
    create_time: datetime | None
    end_time: datetime | None
    event_number: int
    pack_version: int = 0
    """0 where styles were named."""
    style_seeds: StyleSeeds = StyleSeeds.SAME
    training_phase_message: str = ""
    """What its training does before its first step where that may take minutes; empty otherwise."""
    training_progress: TrainingProgress | None = None
    """What its running training does and how far that is; None: it does not run, or its trainer does not tell."""
    training_eta_seconds: float | None = None
    """What its training still needs; None: it does not run, or nothing was measured yet."""
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    external_id: str = ""


@dataclass(frozen=True)
class ShootEvent:
    """One change of a shoot, and the images that were finished since the change before."""

    shoot: Shoot
    images: tuple[Image, ...]


ShootRef = Shoot | str
