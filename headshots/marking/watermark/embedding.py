"""Writes the watermark into pixels."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from headshots.marking.watermark.pattern import make_tile, tile_px

Pixels = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]

SMALLEST_SIDE_PX = 192
"""Short side of the smallest image that is watermarked: in smaller ones the mark would be seen and seldom be read."""
_BLOCK_PX = 8
_DEEPEST = 0.35
_FLAT_LEVELS = 2.0
_STRONGEST = 2.5
_PSNR_DB, _DB_OF_HALF_THE_SIDE, _FULL_SIDE_PX, _LEAST_PSNR_DB = 42.4, 1.0, 512, 39.0


def has_room(pixels: Pixels) -> bool:
    """Whether an image, [height, width, 3], is large enough for a watermark."""
    return bool(min(pixels.shape[:2]) >= SMALLEST_SIDE_PX)


def embed(pixels: Pixels, mark_id: bytes) -> Pixels:
    """Pixels, uint8 [height, width, 3], that carry an id of 8 bytes; the same every time.

    The change is of brightness alone, stronger where the picture is busy. The peak signal-to-noise ratio is 42.4 dB
    from a short side of 512 px on, and 1 dB less for each halving below: there is less room for it.
    """
    height, width, _ = pixels.shape
    side = tile_px(width, height)
    tile = make_tile(mark_id, side)
    change = np.tile(tile, (-(-height // side), -(-width // side)))[:height, :width] * _room(pixels)
    change *= _root_mean_square(width, height) / math.sqrt(float(np.vdot(change, change)) / change.size)
    marked = pixels.astype(np.int16) + np.rint(change).astype(np.int16)[..., None]
    marked = np.clip(marked, 0, 255, out=marked)
    return np.asarray(marked, np.uint8)


def _root_mean_square(width_px: int, height_px: int) -> float:
    """Of the change, in levels of 255."""
    halvings = max(0.0, math.log2(_FULL_SIDE_PX / min(width_px, height_px)))
    return 255.0 * 10 ** (-max(_PSNR_DB - _DB_OF_HALF_THE_SIDE * halvings, _LEAST_PSNR_DB) / 20)


def _room(pixels: Pixels) -> FloatArray:
    """How much change the eye lets pass at each place, [height, width], relative: busy places hide more."""
    luma = Image.fromarray(pixels).convert("L")
    size = luma.size
    means = luma.reduce(_BLOCK_PX)
    smooth = means.resize(size, Image.Resampling.BILINEAR)
    detail = np.abs(np.asarray(luma, np.int16) - np.asarray(smooth, np.int16)).astype(np.float32)
    activity = np.asarray(Image.fromarray(detail).reduce(_BLOCK_PX))
    room = (_FLAT_LEVELS + activity) ** _DEEPEST
    room = np.minimum(room / np.sqrt(np.square(room).mean()), _STRONGEST)
    return np.asarray(Image.fromarray(room).resize(size, Image.Resampling.BILINEAR))
