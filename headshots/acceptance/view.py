"""What is kept of a picture to tell how it differs from others: a perceptual hash, and the colours around the face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from headshots.faces.base import Pixels
from headshots.imaging import quality
from headshots.imaging.quality import Bits, Box, Floats

_CELLS = 5
# The head is larger than the face's box: so much of its width and height is added on each side.
_HAIR = 0.25
# Unrelated pictures differ in half of the bits of their hashes, and by about a third in the mean of their colours.
_UNRELATED_HASH, _UNRELATED_COLOUR = 0.5, 0.33
_HASH_BITS = 143


@dataclass(frozen=True, slots=True)
class View:
    """A picture as 143 bits and 5 x 5 colours."""

    hash: str
    """The bits of `quality.perceptual_hash`, packed, in hexadecimal."""
    colours: str
    """Mean sRGB of each cell, row by row, in hexadecimal."""
    head: tuple[int, ...]
    """Numbers of the cells whose middle the head covers: no surroundings."""

    @classmethod
    def of(cls, picture_HWC: Pixels, face_box: Box | None) -> View:
        """`face_box`: of the largest face, None without one."""
        bits = quality.perceptual_hash(quality.luma(picture_HWC))
        small = Image.fromarray(picture_HWC).resize((_CELLS, _CELLS), Image.Resampling.BOX)
        height, width = picture_HWC.shape[:2]
        return cls(np.packbits(bits).tobytes().hex(), small.tobytes().hex(), _covered(face_box, width, height))

    def hash_difference(self, other: View) -> float:
        """Share of the bits of the hashes that differ, 0 to 1: of near-duplicates few, of unrelated pictures half."""
        return quality.hash_distance(self.bits(), other.bits())

    def difference(self, other: View) -> float:
        """How different two pictures look, 0 the same to 1 unrelated: half of it the hash, half the surroundings."""
        return float(differences([self, other])[0, 1])

    def bits(self) -> Bits:
        """The hash, [143]."""
        return np.unpackbits(np.frombuffer(bytes.fromhex(self.hash), np.uint8), count=_HASH_BITS).astype(bool)

    def cells(self) -> Floats:
        """The colours, [25, 3], 0 to 1; NaN where the head is."""
        levels = np.frombuffer(bytes.fromhex(self.colours), np.uint8).reshape(_CELLS**2, 3)
        colours: Floats = levels.astype(np.float32) / np.float32(255)
        colours[list(self.head)] = np.nan
        return colours

    def to_json(self) -> dict[str, Any]:
        """For rows: some 300 bytes."""
        return {"hash": self.hash, "colours": self.colours, "head": list(self.head)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> View:
        """Inverse of `to_json`."""
        return cls(value["hash"], value["colours"], tuple(value["head"]))


def differences(views: Sequence[View]) -> Floats:
    """`View.difference` of all pairs, [N, N]."""
    bits_ND = np.stack([view.bits() for view in views])
    apart_NN = (bits_ND[:, None] != bits_ND[None]).mean(axis=2)
    cells_NC3 = np.stack([view.cells() for view in views])
    colours_NNC = np.abs(cells_NC3[:, None] - cells_NC3[None]).mean(axis=3)
    around_NNC = ~np.isnan(colours_NNC)
    # Where the heads leave no cell that both show, the surroundings tell nothing.
    colour_NN = np.where(around_NNC, colours_NNC, 0).sum(axis=2) / np.maximum(around_NNC.sum(axis=2), 1)
    shape_NN = np.minimum(apart_NN / _UNRELATED_HASH, 1)
    return np.asarray((shape_NN + np.minimum(colour_NN / _UNRELATED_COLOUR, 1)) / 2, np.float32)


def _covered(face_box: Box | None, width: int, height: int) -> tuple[int, ...]:
    if face_box is None:
        return ()
    left, top, right, bottom = face_box
    wide, high = (right - left) * _HAIR, (bottom - top) * _HAIR
    middles = [
        ((cell % _CELLS + 0.5) / _CELLS * width, (cell // _CELLS + 0.5) / _CELLS * height) for cell in range(_CELLS**2)
    ]
    return tuple(
        cell
        for cell, (x, y) in enumerate(middles)
        if left - wide <= x <= right + wide and top - high <= y <= bottom + high
    )
