"""Defines a look: styles, seeds, the frame and what judges portraits, the same for everybody of a team."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from headshots.looks.frame import Frame

MAX_STYLES, MAX_PORTRAITS, MAX_REPAINTS = 8, 32, 5


class SeedPolicy(StrEnum):
    """Which seeds the members are painted from."""

    SAME = "same"
    """All from the look's seed on: the same composition, as far as their adapters allow."""
    VARIED = "varied"
    """Each member from another one."""


@dataclass(frozen=True)
class Look:
    """A version of a look. Names are those of the contract without their collections."""

    name: str
    display_name: str
    description: str
    styles: tuple[str, ...]
    """1 to 8, each once."""
    portraits: int
    """Of each member, 1 to 32, at least one a style."""
    frame: Frame
    profile: str
    """Acceptance profile."""
    seed_policy: SeedPolicy = SeedPolicy.SAME
    seed: int = 0
    """0 to 2^32-1."""
    max_tries: int = 3
    """Seeds for each portrait that a member's portraits share, as a shoot's."""
    max_repaints: int = 3
    """How often a portrait that falls out is painted anew, 0 to 5."""
    image_format: int = 1
    quality: int = 0
    version: int = 1
    styles_differ: bool = False
    """Whether each of several styles is painted from seeds of its own; False in looks that are older than the choice,
    so that who joins an older team is painted as the others were."""

    @property
    def varies_styles(self) -> bool:
        """Whether a style's own number is added to its seeds. A single style is painted from the look's seed on."""
        return self.styles_differ and len(self.styles) > 1

    def to_json(self) -> dict[str, Any]:
        """For a JSON column."""
        return {**asdict(self), "styles": list(self.styles), "seed_policy": self.seed_policy.value}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Look:
        """From a JSON column."""
        frame, policy = Frame(**document["frame"]), SeedPolicy(document["seed_policy"])
        return cls(**{**document, "styles": tuple(document["styles"]), "frame": frame, "seed_policy": policy})
