"""The pictures that marks are measured on: portraits of people who never existed, and cuts of a public-domain photo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.promises.damages import Pixels
from foundry.portraits.identity import sample_identity
from foundry.portraits.render import render
from foundry.portraits.scene import KINDS, sample_scene

_SMALLEST_CUT = 0.6
_PHOTO_SHARE = 4


def drawn(number: int, seed: int, size_px: int) -> Pixels:
    """Portrait ``number`` [size_px, size_px, 3]."""
    scene = sample_scene(np.random.default_rng([seed, number]), KINDS[number % len(KINDS)])
    return render(sample_identity(seed * 100_000 + number), scene, size_px)


def pictures(count: int, seed: int, size_px: int, photo: Path | None) -> Iterator[Pixels]:
    """``count`` pictures; with a photo every fourth is a cut of it."""
    for number in range(count):
        if photo is not None and number % _PHOTO_SHARE == 0:
            yield _cut(photo, np.random.default_rng([seed, number]), size_px)
        else:
            yield drawn(number, seed, size_px)


def _cut(photo: Path, random: np.random.Generator, size_px: int) -> Pixels:
    with Image.open(photo) as opened:
        whole = opened.convert("RGB")
    side = int(min(whole.size) * random.uniform(_SMALLEST_CUT, 1.0))
    left, top = (int(random.integers(0, length - side + 1)) for length in whole.size)
    cut = whole.crop((left, top, left + side, top + side))
    return np.asarray(cut.resize((size_px, size_px), Image.Resampling.LANCZOS))
