"""Defines shoots and their orders as frozen dataclasses. Times are seconds since the epoch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headshots.acceptance.profiles import Profile
from headshots.looks.frame import Frame
from headshots.schema import TERMINAL_STATES
from headshots.styles.packs import Pack
from headshots.styles.recipe import Style
from services.gateway.api.labels import Labelling
from services.gateway.api.progress import TrainingProgress
from services.gateway.galleries.orders.seeds import StyleSeeds
from services.gateway.peers.models import PRIORITY_STANDARD, Failure
from services.gateway.shoots.quote import Quote

DEFAULT_TRIES = 3
"""Seeds that are tried for a portrait where the caller names no number."""


@dataclass(frozen=True)
class FixedLook:
    """What a team's shoots have in common, whatever becomes of the styles and the profile that it names."""

    recipes: tuple[Style, ...]
    profile: Profile
    frame: Frame


@dataclass(frozen=True)
class ShootOrder:
    """The shoot that a caller asks for; names are those of the contract without their collections."""

    count: int
    pack: str = ""
    """Empty: `styles`."""
    styles: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()
    """Full names; empty: all usable ones."""
    foundation: str = ""
    """Digest; empty: whichever serves, the default one rather."""
    retrain: bool = False
    profile: str = ""
    """Empty: the default."""
    max_tries: int = DEFAULT_TRIES
    seed: int = 0
    image_format: int = 1
    quality: int = 0
    priority: int = PRIORITY_STANDARD
    deadline: float | None = None
    allow_unjudged: bool = False
    """Whether it may be painted though the subject's photos are gone and nothing can be judged."""
    style_seeds: StyleSeeds = StyleSeeds.VARIED
    look: FixedLook | None = None
    """Of a team's order: in place of what the names stand for now; None: no look, and no frame."""
    may_train: bool = True
    trainings_ahead: int = 0
    """Of members of the same team who are ordered with it, and so in no queue yet: its quote counts them as waiting."""
    images_ahead: int = 0
    """Of these members."""
    labelling: Labelling = field(default_factory=Labelling)


@dataclass(frozen=True)
class Plan:
    """What will be painted, as it was when the shoot was made."""

    recipes: tuple[Style, ...]
    style_shots: tuple[int, ...]
    """Portraits of each recipe, above 0."""
    profile: Profile
    max_tries: int
    seed: int
    image_format: int
    quality: int
    priority: int
    pack: str
    """Empty where styles were named."""
    pack_version: int = 0
    """0 where styles were named, and in shoots that are older than versions of packs."""
    style_seeds: StyleSeeds = StyleSeeds.SAME
    """As the default in shoots that are older than the choice."""
    frame: Frame | None = None
    """What portraits are cut to; None: nothing."""

    @property
    def asked(self) -> int:
        """Portraits in all."""
        return sum(self.style_shots)

    def to_json(self) -> dict[str, Any]:
        """For a JSON column."""
        simple = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        recipes = [recipe.to_json() for recipe in self.recipes]
        frame = self.frame.to_json() if self.frame is not None else None
        told = {"recipes": recipes, "profile": self.profile.to_json(), "frame": frame}
        return {**simple, **told, "style_shots": list(self.style_shots), "style_seeds": self.style_seeds.value}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Plan:
        """From a JSON column."""
        recipes = tuple(Style(**recipe) for recipe in document["recipes"])
        profile, style_shots = Profile.from_json(document["profile"]), tuple(document["style_shots"])
        frame = Frame.from_json(document.get("frame"))
        style_seeds = StyleSeeds(document.get("style_seeds", StyleSeeds.SAME))
        told = {"recipes": recipes, "profile": profile, "style_shots": style_shots, "frame": frame}
        return cls(**{**document, **told, "style_seeds": style_seeds})


@dataclass(frozen=True)
class Progress:
    """How far a shoot is."""

    training_step: int = 0
    training_total_steps: int = 0
    training_phase_message: str = ""
    """What the training does before its first step; empty: nothing that takes long."""
    training: TrainingProgress | None = None
    """What the training does; None: it does not run, or does not tell."""
    training_eta_seconds: float | None = None
    """What it still needs; None: it does not run, or has not measured it yet."""
    delivered: int = 0
    """Accepted portraits."""
    tries: int = 0
    images: tuple[int, ...] = ()
    """Numbers of the shots that have ended with an image, in their order."""
    guarantee: str | None = None
    """None: not known yet."""

    def to_json(self) -> dict[str, Any]:
        """For a JSON column."""
        return {**dataclasses.asdict(self), "images": list(self.images)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Progress:
        """From a JSON column."""
        training = TrainingProgress.from_json(document.get("training"))
        return cls(**{**document, "images": tuple(document["images"]), "training": training})


@dataclass(frozen=True)
class Shoot:
    """One order, from the photos to accepted portraits."""

    id: str
    subject_id: str
    tenant_id: str
    state: str
    plan: Plan
    training_id: str
    trains: bool
    """Whether the training is the shoot's own."""
    quote: Quote
    created_at: float
    gallery_id: str | None = None
    """None before painting begins."""
    progress: Progress = field(default_factory=Progress)
    deadline: float | None = None
    ended_at: float | None = None
    failure: Failure | None = None
    status_message: str = ""
    """One sentence on what holds it up; empty where nothing does."""
    revision: int = 1
    """The number of its newest event."""
    cancel_requested: bool = False
    labelling: Labelling = field(default_factory=Labelling)

    @property
    def is_terminal(self) -> bool:
        """Whether it will never change again."""
        return self.state in TERMINAL_STATES


def new_plan(
    order: ShootOrder, recipes: Sequence[Style], counts: Sequence[int], profile: Profile, pack: Pack | None
) -> Plan:
    """Of recipes with their numbers of portraits; a style that gets none is left out."""
    kept = [(recipe, count) for recipe, count in zip(recipes, counts, strict=True) if count]
    return Plan(
        recipes=tuple(recipe for recipe, _ in kept),
        style_shots=tuple(count for _, count in kept),
        profile=profile,
        max_tries=order.max_tries,
        seed=order.seed,
        image_format=order.image_format,
        quality=order.quality,
        priority=order.priority,
        pack=order.pack,
        pack_version=pack.version if pack is not None else 0,
        frame=order.look.frame if order.look is not None else None,
        style_seeds=order.style_seeds,
    )
