"""Renders casual photos of one held-out person, as a phone would take them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from foundry.portraits.identity import FIRST_HELD_OUT, sample_identity
from foundry.portraits.render import render
from foundry.portraits.scene import sample_scene


def held_out_seed(person: int) -> int:
    """The number of the demo's person `person` (0 ..): never one that a model was trained on.

    Raises:
        ValueError: a negative number.
    """
    if person < 0:
        raise ValueError(f"people are numbered from 0, not {person}")
    return person if person >= FIRST_HELD_OUT else FIRST_HELD_OUT + person


def sample_selfies(identity_seed: int, count: int, size: int = 256) -> list[bytes]:
    """`count` JPEG files of one person in different clothes, places and moods, `size` pixels square."""
    identity = sample_identity(identity_seed)
    files = []
    for index in range(count):
        rng = np.random.default_rng([identity_seed, index, 0x5E1F])
        scene = sample_scene(rng, "selfie", jpeg_quality=0)
        packed = io.BytesIO()
        Image.fromarray(render(identity, scene, size)).save(packed, "JPEG", quality=90)
        files.append(packed.getvalue())
    return files
