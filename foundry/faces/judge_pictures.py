"""Draws what the judges learn from: families in all framings, with everything that is true of them.

Shapes: F families of M pictures, P points, A attributes, Q proportions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foundry.faces.families import SIZE, Floats, Pixels, Series, members, prepare_families
from foundry.faces.framings import framed
from foundry.judges import labels
from foundry.portraits import PROPORTIONS, Identity, Scene, face_points, sample_scene

FIRST_PERSON = 500_000  # apart from the people of other stages
SELFIE_SHARE = 0.3
OWN_FRAMING_SHARE = 0.4  # of the pictures: framed as their kind of scene is
ZOOMS = (1.0, 1.75)  # of all others


def scene_of(number: int, place: int) -> Scene:
    """The scene of a family's picture."""
    rng = np.random.default_rng([FIRST_PERSON + number, place, 0x10D6E])
    kind = "selfie" if rng.random() < SELFIE_SHARE else "studio"
    if rng.random() < OWN_FRAMING_SHARE:
        return sample_scene(rng, kind)
    head = framed(float(rng.uniform(*ZOOMS)), rng)
    return sample_scene(rng, kind, zoom=head["zoom"], dy=head["dy"])


SERIES = Series("judge_families", FIRST_PERSON, scene_of)


@dataclass(frozen=True, slots=True)
class JudgePictures:
    """F families: pictures, and by family and member what is true of each."""

    pictures: Pixels  # [F, M, SIZE, SIZE, 3], a memory map
    points: Floats  # [F, M, P, 2], in units of the picture's side
    proportions: Floats  # [F, M, Q], of zero mean and unit variance
    labels: npt.NDArray[np.int64]  # [F, M, A]


def prepare_judge_pictures(work: Path, families: int, processes: int | None = None) -> JudgePictures:
    """`work/judge_families_{families}_*.npy`, rendered where missing; the truth is worked out anew each time."""
    drawn = prepare_families(work, families, processes, SERIES)
    points, proportions, classes = [], [], []
    for number in range(families):
        scenes = [(one, scene_of(number, place)) for place, one in enumerate(members(number, FIRST_PERSON))]
        points.append([face_points(*each, size=SIZE) / SIZE for each in scenes])
        proportions.append([proportions_of(identity) for identity, _ in scenes])
        classes.append([labels(*each) for each in scenes])
    shapes = np.array(proportions, np.float32)
    flat = shapes.reshape(-1, shapes.shape[-1])
    standard = (shapes - flat.mean(0)) / np.maximum(flat.std(0), 1e-3)
    return JudgePictures(
        drawn.pictures, np.array(points, np.float32), standard.astype(np.float32), np.array(classes, np.int64)
    )


def proportions_of(identity: Identity) -> list[float]:
    """In the order of PROPORTIONS."""
    return [float(getattr(identity, name)) for name in PROPORTIONS]
