"""Prepares what the embedder learns from: the face of every picture of the training families, turned upright once.

The crops have a margin, so that each step can shift, turn and scale them as a detector's errors would.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foundry.faces.families import members, prepare_families
from foundry.portraits import (
    BEARDS,
    CLASS_NOUNS,
    EYE_COLOURS,
    GLASSES,
    HAIR_COLOURS,
    HAIR_STYLES,
    Identity,
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


def prepare_faces(work: Path, families: int) -> npt.NDArray[np.uint8]:
    """`work/analyzer_faces_{families}.npy`: uint8 [F, M, CROP + 2 MARGIN, the same, 3], a memory map; see MEMBERS."""
    path = work / f"analyzer_faces_{families}.npy"
    if not path.exists():
        drawn = prepare_families(work, families)
        side = CROP + 2 * MARGIN
        partial = path.with_suffix(".partial.npy")
        store = np.lib.format.open_memmap(partial, "w+", np.uint8, (*drawn.landmarks.shape[:2], side, side, 3))
        for number, places in enumerate(tqdm(drawn.landmarks, desc="faces", unit="family", mininterval=5)):
            for member, landmarks in enumerate(places):
                store[number, member] = align(drawn.pictures[number, member], landmarks, MARGIN)
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


def all_traits(families: int) -> npt.NDArray[np.float32]:
    """Traits of whom the pictures of families 0 .. families-1 show, of zero mean and unit variance: [F, M, T]."""
    values = np.array([[traits(one) for one in members(number)] for number in range(families)], np.float32)
    flat = values.reshape(-1, values.shape[-1])
    return np.asarray((values - flat.mean(0)) / np.maximum(flat.std(0), 1e-3), np.float32)
