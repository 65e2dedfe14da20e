"""Prepares what the embedder learns from: every training picture's face, turned upright once, and whose it is.

`faces.npy` holds crops with a margin, so that each step can shift, turn and scale them as a detector's errors would.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foundry.dataset import example, prepare_pictures
from foundry.portraits import (
    BEARDS,
    CLASS_NOUNS,
    EYE_COLOURS,
    GLASSES,
    HAIR_COLOURS,
    HAIR_STYLES,
    Identity,
    face_truth,
    sample_identity,
)
from foundry.progress import tqdm
from headshots.faces.geometry import CROP, align

MARGIN = 6
_CHOICES: dict[str, tuple[str, ...]] = {
    "class_noun": CLASS_NOUNS,
    "eye_colour": EYE_COLOURS,
    "hair_colour": HAIR_COLOURS,
    "hair_style": tuple(sorted({style for styles in HAIR_STYLES.values() for style in styles})),
    "beard": BEARDS,
    "glasses": GLASSES,
}


def prepare_faces(work: Path, count: int) -> npt.NDArray[np.uint8]:
    """`work/analyzer_faces.npy`: uint8 [N, CROP + 2 MARGIN, the same, 3] of pictures 0 .. count-1; a memory map."""
    path = work / "analyzer_faces.npy"
    if path.exists():
        faces: npt.NDArray[np.uint8] = np.load(path, mmap_mode="r")
        if len(faces) >= count:
            return faces[:count]
    pictures = prepare_pictures(work, count)
    side = CROP + 2 * MARGIN
    partial = path.with_suffix(".partial.npy")
    store = np.lib.format.open_memmap(partial, "w+", np.uint8, (count, side, side, 3))
    for index in tqdm(range(count), desc="faces", unit="face", mininterval=5):
        landmarks, _ = face_truth(*example(index))
        store[index] = align(pictures[index], landmarks, MARGIN)
    store.flush()
    partial.replace(path)
    return np.asarray(np.load(path, mmap_mode="r"))


def traits(identity: Identity) -> list[float]:
    """The person's parameters as plain numbers; choices as one number a choice."""
    values: list[float] = []
    for field in fields(Identity):
        value = getattr(identity, field.name)
        if field.name in _CHOICES:
            values += [float(value == choice) for choice in _CHOICES[field.name]]
        elif field.name == "mole":
            values += [float(value is not None), *(value or (0.0, 0.0))]
        elif field.name not in ("seed", "glasses_colour"):
            values.append(float(value))
    return values


def all_traits(people: int) -> npt.NDArray[np.float32]:
    """Traits of people 0 .. people-1, each of zero mean and unit variance: [people, T]."""
    values = np.array([traits(sample_identity(seed)) for seed in range(people)], np.float32)
    return np.asarray((values - values.mean(0)) / np.maximum(values.std(0), 1e-3), np.float32)
