"""Holds the figures, what they must reach, and how much is done for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.report import Target

LIBRARIES = ("grpcio", "numpy", "pillow", "onnxruntime", "torch", "diffusers", "peft")

TARGETS: Mapping[str, Target] = {
    "guarantee_met_share": Target(1.0, False, "shoots of which every portrait was accepted"),
    "tries_per_accepted": Target(1.25, True, "seeds painted for each accepted portrait"),
    "false_accept": Target(0.05, True, "portraits by a sibling's adapter that pass the person's gate"),
    "false_refuse": Target(0.05, True, "true pictures of the person in the styles' scenes that it refuses"),
    "top10_gain": Target(0.0, False, "the other net's likeness of the ten best, less that of all accepted"),
    "top10_variety": Target(6, False, "styles among the ten best of eight, in the poorest shoot"),
    "overhead": Target(1.05, True, "a shoot's seconds over its training's and its gallery's alone"),
    "quote_missed_by": Target(1.0, True, "the largest miss of an expected finish, over what the shoot took"),
    "kills": Target(10, False, "services killed in turn while the same shoots run again"),
    "kills_lost_portraits": Target(0, True, "portraits fewer than undisturbed"),
    "kills_painted_twice": Target(0, True, "tries recorded twice, and pictures that no try has recorded"),
}
STYLES = (
    "studio-navy-suit",
    "boardroom-grey-blazer",
    "city-leather-jacket",
    "clinic-lab-coat",
    "founder-black-turtleneck",
    "park-denim-jacket",
    "scholar-green-sweater",
    "loft-striped-shirt",
)


@dataclass(frozen=True)
class Scale:
    """How much is done."""

    people: int
    count: int
    """Portraits of a shoot."""
    siblings: int
    """Of the people: so many have a sibling whose adapter is tried."""
    sibling_shots: int
    """Of each style, by a sibling's adapter."""
    true_pictures: int
    """Of each person and style."""
    alone: int
    """Of the people: so many are trained and painted once more without a shoot."""
    kills: int


FULL = Scale(people=6, count=40, siblings=6, sibling_shots=3, true_pictures=5, alone=3, kills=10)
QUICK = Scale(people=1, count=8, siblings=1, sibling_shots=1, true_pictures=1, alone=1, kills=2)


Say = Callable[[str], None]
"""Tells how it goes, a line at a time."""
