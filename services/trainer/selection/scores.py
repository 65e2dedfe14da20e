"""The scores of a training's checkpoints, and when one is sound. Plain numbers: no torch, no images.

A checkpoint is *sound* when it does not copy its photos, does not generate one image for every seed, still follows
prompts, and breaks no more faces than the bare foundation. `choosing` has the rule that chooses among them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# A portrait's similarity to some photo trained on may exceed that to a held-out photo by so much. Two photos of one
# person differ by more under either analyzer; a portrait above it repeats a photo rather than shows the person.
MAX_COPYING = 0.25
# Two seeds of one prompt must differ by at least this share of their difference in the bare foundation, which shows
# another person for each seed.
MIN_DIVERSITY = 0.25
# At least this share of the portraits must have their own prompt's surroundings. Chance is one in the number of
# prompts.
MIN_PROMPT_KEPT = 0.6
# The share of portraits with a regular face may be lower than in the bare foundation by so much: one of six is chance,
# two are more. What the foundation itself paints irregularly is no fault of an adapter.
MAX_BROKEN = 0.25


NO_ANALYZER = "no analyzer of faces is set up"
TOO_FEW_PHOTOS = "too few photos show exactly one face to hold one out and train on four or more"
NO_CHECKPOINTS = "the recipe holds no photo out, or judges no checkpoint"


@dataclass(frozen=True)
class CheckpointScores:
    """The scores of one checkpoint's portraits."""

    # Optimizer step, from 1.
    step: int
    # Mean cosine of portraits to held-out photos, -1 to 1; a portrait without a face counts 0.
    likeness: float
    # Mean of (likeness to the nearest photo trained on) - (to the nearest held-out one), -2 to 2; high: it copies.
    copying: float
    # Mean difference between seeds of one prompt over the bare foundation's; 0: every seed gives the same image.
    diversity: float
    # Share of portraits whose surroundings are nearest to the bare foundation's for the same prompt, 0 to 1.
    prompt_kept: float
    # Share of portraits with exactly one face, 0 to 1.
    faces: float
    # Share of portraits that the profile `profile-worthy` accepts, near-duplicates aside, 0 to 1. It has no say in the
    # choice. None: the checkpoint was judged before this was measured.
    accepted: float | None = None
    # Share of portraits whose face is as regular as the gate asks (`Gate.max_irregularity`: as 99 in 100 true ones, or
    # nearly as the person's photos), 0 to 1; one without a face is not. None: the analyzer cannot tell, and whether
    # faces are broken is not checked.
    regular: float | None = None
    # The same of the bare foundation's portraits, of other people each, as 99 in 100 true ones.
    bare_regular: float | None = None

    @property
    def flaws(self) -> tuple[str, ...]:
        """Why the checkpoint is not sound, in words; empty if it is."""
        found = (
            (self.copying > MAX_COPYING, f"copies its photos ({self.copying:.2f})"),
            (self.diversity < MIN_DIVERSITY, f"paints nearly the same for every seed ({self.diversity:.2f})"),
            (self.prompt_kept < MIN_PROMPT_KEPT, f"forgets the prompt ({self.prompt_kept:.0%} kept)"),
            (self._breaks_faces, self._broken_faces),
        )
        return tuple(words for is_so, words in found if is_so)

    @property
    def _broken_faces(self) -> str:
        return f"breaks faces ({self.regular or 0:.0%} regular, {self.bare_regular or 0:.0%} without it)"

    @property
    def _breaks_faces(self) -> bool:
        if self.regular is None or self.bare_regular is None:
            return False
        return self.regular < self.bare_regular - MAX_BROKEN


@dataclass(frozen=True)
class TrainingScores:
    """The scores of a training's result. Without an analyzer nothing is measured, and nothing passes."""

    # Name and version of the analyzer; empty: likeness was not measured.
    analyzer: str
    # Number of photos that were held out.
    held_out: int
    # The step whose weights were chosen.
    chosen_step: int
    # Why that step, in words.
    reason: str
    # Whether the chosen checkpoint is sound, and its portraits count as the same person as the held-out photos.
    passed: bool = False
    # Whether the run ended before its last step because likeness had stopped improving.
    stopped_early: bool = False
    # Every checkpoint that was judged, by step.
    checkpoints: tuple[CheckpointScores, ...] = ()
    # Object-store keys of the contact sheet (JPEG) and the card (Markdown).
    sheet_key: str = ""
    card_key: str = ""

    @property
    def likeness(self) -> float | None:
        """Likeness of the chosen checkpoint; None: not measured."""
        return next((scores.likeness for scores in self.checkpoints if scores.step == self.chosen_step), None)

    def to_json(self) -> dict[str, Any]:
        """For rows, manifests and the training process's last message."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TrainingScores:
        """Inverse of :meth:`to_json`."""
        checkpoints = tuple(CheckpointScores(**scores) for scores in value["checkpoints"])
        return cls(**{**value, "checkpoints": checkpoints})
