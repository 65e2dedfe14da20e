"""Locates a face in a picture, and cuts the pictures that the nets take. Imports numpy and Pillow only.

Coordinates are continuous: pixel (column, row) covers [column, column + 1) x [row, row + 1). The foundry trains on
what these functions cut, so that a net meets at run time what it learned from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from headshots.faces.base import Pixels

Floats = npt.NDArray[np.float32]

CROP = 80  # pixels a side of an aligned face
PADDING_GREY = 128
# Where LANDMARKS stand in an aligned face: hair and chin fit in for every style.
TEMPLATE: Floats = np.array([(29.5, 39.0), (50.5, 39.0), (40.0, 50.0), (30.0, 58.5), (50.0, 58.5)], np.float32)


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a picture lies in a square: scaled by `scale`, then moved by (left, top) square pixels."""

    scale: float
    left: int
    top: int
    width: int
    height: int

    def to_picture(self, points_N2: Floats) -> Floats:
        """Square pixels to picture pixels."""
        moved = (points_N2 - np.array([self.left, self.top], np.float32)) / np.float32(self.scale)
        return moved.astype(np.float32)


def letterbox(pixels_HWC: Pixels, side: int) -> tuple[Pixels, Letterbox]:
    """The whole picture in the middle of a grey square, its longer side as long as the square's."""
    height, width = pixels_HWC.shape[:2]
    scale = side / max(height, width)
    inner_width, inner_height = max(round(width * scale), 1), max(round(height * scale), 1)
    left, top = (side - inner_width) // 2, (side - inner_height) // 2
    square = np.full((side, side, 3), PADDING_GREY, np.uint8)
    small = Image.fromarray(pixels_HWC).resize((inner_width, inner_height), Image.Resampling.BILINEAR)
    square[top : top + inner_height, left : left + inner_width] = np.asarray(small)
    return square, Letterbox(scale, left, top, inner_width, inner_height)


def similarity(source_N2: Floats, target_N2: Floats) -> npt.NDArray[np.float64]:
    """The [2, 3] matrix of scale, rotation and shift that brings `source` nearest to `target` (least squares)."""
    source = source_N2[:, 0].astype(np.float64) + 1j * source_N2[:, 1]
    target = target_N2[:, 0].astype(np.float64) + 1j * target_N2[:, 1]
    source_mean, target_mean = source.mean(), target.mean()
    spread = source - source_mean
    turn = np.vdot(spread, target - target_mean) / max(float(np.vdot(spread, spread).real), 1e-12)
    shift = target_mean - turn * source_mean
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def align(pixels_HWC: Pixels, landmarks_52: Floats, margin: int = 0) -> Pixels:
    """The face upright and scaled to TEMPLATE: uint8 [CROP + 2 margin, the same, 3], black beyond the picture."""
    matrix = similarity(TEMPLATE + margin, landmarks_52)
    image = Image.fromarray(pixels_HWC)
    # Bilinear sampling reads four neighbours: shrink large faces first, or it would skip pixels.
    factor = int(np.hypot(matrix[0, 0], matrix[1, 0]))
    if factor >= 2:
        image = image.reduce(factor)
        matrix = matrix / factor
    side = CROP + 2 * margin
    turned = image.transform((side, side), Image.Transform.AFFINE, matrix.ravel().tolist(), Image.Resampling.BILINEAR)
    return np.asarray(turned)


def to_planes(pixels_BHWC: npt.NDArray[np.uint8]) -> Floats:
    """uint8 [B, H, W, 3] to float32 [B, 3, H, W] in -1..1, as the nets read it."""
    return np.ascontiguousarray(pixels_BHWC.transpose(0, 3, 1, 2), np.float32) / 127.5 - 1
