"""Takes the picture out of pixels as far as it can be told apart, so that the watermark stands out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

FloatArray = npt.NDArray[np.float32]

_LARGEST_PX = 1280
_RADIUS_PX = 6
_FLAT_LEVELS = 1.5
_LIMIT = 2.5


def whiten(pixels: npt.NDArray[np.uint8]) -> FloatArray:
    """Brightness [height, width] less its local mean, in local standard deviations from -2.5 to 2.5.

    Images larger than 1280 px are made smaller first.
    """
    luma = Image.fromarray(pixels).convert("L")
    scale = _LARGEST_PX / max(luma.size)
    if scale < 1:
        size = (max(1, round(luma.width * scale)), max(1, round(luma.height * scale)))
        luma = luma.resize(size, Image.Resampling.BICUBIC)
    brightness = np.asarray(luma, np.float32)
    detail = brightness - local_mean(brightness, _RADIUS_PX)
    deviation = np.sqrt(np.maximum(local_mean(detail * detail, _RADIUS_PX), 0.0))
    return np.clip(detail / (deviation + _FLAT_LEVELS), -_LIMIT, _LIMIT)


def local_mean(values: FloatArray, radius: int) -> FloatArray:
    """Mean over the square of ``2 * radius + 1`` around each place, edges repeated."""
    side = 2 * radius + 1
    padded = np.pad(values, ((radius + 1, radius), (radius + 1, radius)), mode="edge")
    total = padded.cumsum(0, dtype=np.float64).cumsum(1)
    boxes = total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    return np.asarray(boxes / side**2, np.float32)
