"""Holds the figures, what they must reach, and how much is done for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.looks import estimates, remixes, words
from benchmarks.report import Target

LIBRARIES = ("grpcio", "numpy", "pillow", "onnxruntime", "torch", "diffusers", "peft")

TARGETS: Mapping[str, Target] = {
    "team_members_delivered": Target(1.0, False, "share of the members with an accepted portrait"),
    "team_eye_line_spread": Target(0.01, True, "the largest eye line less the smallest, share of the height"),
    "team_head_height_spread": Target(0.01, True, "the largest head height less the smallest, share of the height"),
    "team_backdrop_delta_e": Target(5.0, True, "CIEDE2000 of two members' backdrops, median over all pairs"),
    "team_light_spread": Target(None, True, "the largest light balance less the smallest"),
    "team_outliers": Target(None, True, "portraits that fall out after their last repainting"),
    **remixes.TARGETS,
    **estimates.TARGETS,
    **words.TARGETS,
}


@dataclass(frozen=True)
class Scale:
    """How much is done."""

    people: int
    """Members of the team, of whom the last joins later."""
    remixed: int
    """People whose images are remixed, eight of each."""
    trainings: int
    """Whose first estimates are held against what they took."""
    steps: int | None
    """Of these trainings; None: the foundation's own recipe."""


FULL = Scale(people=6, remixed=4, trainings=5, steps=None)
QUICK = Scale(people=2, remixed=1, trainings=1, steps=30)

Say = Callable[[str], None]
"""Tells how it goes, a line at a time."""
