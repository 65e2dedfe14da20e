"""Defines teams, their members and their orders as frozen dataclasses. Times are seconds since the epoch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headshots.acceptance.profiles import Profile
from headshots.looks.consistency import Consistency, Deviation, Fault, Seen, deviations
from headshots.looks.look import Look, SeedPolicy
from headshots.schema import TERMINAL_STATES
from headshots.styles.recipe import Style
from services.gateway.api.labels import Labelling
from services.gateway.galleries.limits import SEEDS
from services.gateway.galleries.orders.seeds import StyleSeeds
from services.gateway.peers.models import PRIORITY_STANDARD, Failure
from services.gateway.shoots.models import FixedLook, ShootOrder
from services.gateway.shoots.quote import Quote

MAX_MEMBERS = 200
"""Of a team, as long as it lives."""
# Between the first seeds of two members with varied seeds: more than all tries of a member take, and odd, so that no
# two of a team meet.
_SEEDS_APART = 100_003
ImageRef = tuple[str, int]
"""Ids of an image's gallery, and its number."""


@dataclass(frozen=True)
class TeamOrder:
    """The team that a caller asks for; ids, not names."""

    look: str
    members: tuple[str, ...]
    train: bool = False
    priority: int = PRIORITY_STANDARD
    labelling: Labelling = field(default_factory=Labelling)


@dataclass(frozen=True)
class Portrait:
    """One portrait of a member, which may be painted again: the image that counts now."""

    style: str
    image: ImageRef
    repaints: int = 0
    """Repaintings that have ended."""
    repainting: str | None = None
    """Id of the gallery in which it is painted again now."""

    @property
    def repaint_key(self) -> str:
        """The `request_id` of the gallery in which it is painted again next; no caller can send one with a colon."""
        # Another image may have taken its place: the count alone would not tell them apart.
        gallery, number = self.image
        return f"team:{gallery}:{number}:{self.repaints}"

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Portrait:
        """From a JSON column."""
        gallery, number = document["image"]
        return cls(**{**document, "image": (gallery, number)})


@dataclass(frozen=True)
class Member:
    """One person of a team."""

    subject_id: str
    number: int
    may_train: bool
    joined_at: float
    state: str
    shoot_id: str | None = None
    shoot_revision: int = 0
    """Of the shoot when the team was last taken on."""
    portraits: tuple[Portrait, ...] = ()
    note: str = ""
    failure: Failure | None = None
    delivered: int = 0
    """Accepted portraits; of its shoot while that runs."""
    quote: Quote | None = None
    """Of its shoot; None before that is made."""

    @property
    def is_terminal(self) -> bool:
        """Whether its shoot has ended, or it has none and never will."""
        return self.state in TERMINAL_STATES


@dataclass(frozen=True)
class Team:
    """An order for several people in one look."""

    id: str
    tenant_id: str
    state: str
    look: Look
    recipes: tuple[Style, ...]
    profile: Profile
    priority: int
    created_at: float
    members: tuple[Member, ...] = ()
    seen: Mapping[ImageRef, Seen] = field(default_factory=dict)
    """What is known of the images of portraits; those that were erased are left out."""
    consistency: Mapping[str, Consistency[ImageRef]] = field(default_factory=dict)
    """By style, of those where something was measured."""
    cancel_requested: bool = False
    revision: int = 1
    last_member: int = 0
    failure: Failure | None = None
    ended_at: float | None = None
    origin: Mapping[str, str] | None = None
    labelling: Labelling = field(default_factory=Labelling)

    @property
    def is_terminal(self) -> bool:
        """Whether it changes no more, unless members are added."""
        return self.state in TERMINAL_STATES

    @property
    def has_all(self) -> bool:
        """Whether every member's shoot has ended, so that it is known what falls out."""
        return all(member.is_terminal for member in self.members)

    @property
    def is_painted(self) -> bool:
        """Whether every member's shoot has ended, and nothing is painted again."""
        repainting = any(portrait.repainting for member in self.members for portrait in member.portraits)
        return self.has_all and not repainting

    def faults_of(self, portrait: Portrait) -> tuple[Fault, ...]:
        """What a portrait falls out by; before all members are painted nothing is known of that."""
        if portrait.image not in self.seen or not self.has_all or portrait.style not in self.consistency:
            return ()
        return self.consistency[portrait.style].faults.get(portrait.image, ())

    def deviations_of(self, portrait: Portrait) -> tuple[Deviation, ...]:
        """By how much a portrait falls out, of each measure that `faults_of` tells."""
        if not self.faults_of(portrait):
            return ()
        return deviations(self.seen[portrait.image], self.consistency[portrait.style].middle)

    def shoot_key(self, member: Member) -> str:
        """The `request_id` of a member's shoot; no caller can send one with a colon."""
        return f"team:{self.id}:{member.number}"

    def order_of(self, member: Member) -> ShootOrder:
        """The shoot of a member."""
        look = self.look
        varied = _SEEDS_APART * (member.number - 1) if look.seed_policy is SeedPolicy.VARIED else 0
        return ShootOrder(
            count=look.portraits,
            styles=tuple(recipe.name for recipe in self.recipes),
            profile=self.profile.name,
            max_tries=look.max_tries,
            seed=(look.seed + varied) % SEEDS,
            style_seeds=StyleSeeds.VARIED if look.varies_styles else StyleSeeds.SAME,
            image_format=look.image_format,
            quality=look.quality,
            priority=self.priority,
            look=FixedLook(self.recipes, self.profile, look.frame),
            may_train=member.may_train,
            labelling=self.labelling.of_parts,
        )


def with_members(team: Team, subjects: Sequence[str], *, may_train: bool, now: float, state: str) -> Team:
    """The team with further members; those who are in it already begin anew, as its last."""
    kept = tuple(member for member in team.members if member.subject_id not in subjects)
    first = team.last_member + 1
    new = tuple(Member(subject, number, may_train, now, state) for number, subject in enumerate(subjects, first))
    return dataclasses.replace(team, members=(*kept, *new), last_member=team.last_member + len(new))
