"""What happens to pictures on their way through the world: re-encoding, scaling, cropping, screenshots."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]

_WINDOW_GREY = 245
_MARGIN_PX, _TITLE_PX = 30, 70


def jpeg(pixels: Pixels, quality: int = 75) -> Pixels:
    """Encoded as JPEG and decoded again."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def resized(pixels: Pixels, across: float, down: float, filter_: Image.Resampling) -> Pixels:
    """Scaled by ``across`` and ``down``."""
    height, width, _ = pixels.shape
    return np.asarray(Image.fromarray(pixels).resize((round(width * across), round(height * down)), filter_))


def cropped(pixels: Pixels) -> Pixels:
    """A tenth less on each side."""
    height, width, _ = pixels.shape
    return np.ascontiguousarray(pixels[height // 10 : height - height // 10, width // 10 : width - width // 10])


def screenshot(pixels: Pixels) -> Pixels:
    """Shown at 83 % in a window with a border, and saved as a JPEG of quality 85."""
    shown = resized(pixels, 0.83, 0.83, Image.Resampling.BILINEAR)
    height, width, _ = shown.shape
    window = np.full((height + _TITLE_PX + _MARGIN_PX, width + 2 * _MARGIN_PX, 3), _WINDOW_GREY, np.uint8)
    window[_TITLE_PX : _TITLE_PX + height, _MARGIN_PX : _MARGIN_PX + width] = shown
    return jpeg(window, 85)


def _brighter(pixels: Pixels, factor: float) -> Pixels:
    return np.asarray(np.clip(pixels * factor, 0, 255), np.uint8)


DAMAGES: dict[str, Callable[[Pixels], Pixels]] = {
    "JPEG 75": jpeg,
    "half size, JPEG 75": lambda pixels: jpeg(resized(pixels, 0.5, 0.5, Image.Resampling.LANCZOS)),
    "10 % cropped on each side": cropped,
    "stretched by 1.1": lambda pixels: resized(pixels, 1.1, 1.0, Image.Resampling.BICUBIC),
    "brighter by 20 %": lambda pixels: _brighter(pixels, 1.2),
    "darker by 20 %": lambda pixels: _brighter(pixels, 0.8),
    "screenshot": screenshot,
}
