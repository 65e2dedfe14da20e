"""Measures a painted head's edges against a true render in the same pose: the outline's place, and how sharp it is.

Shapes: H, W pixels of a portrait, P landmarks in the picture's units of 0..1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from benchmarks.faces.breaking import centre_of

Pixels = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

_BAND = 5  # pixels across, of the outline's surroundings, at 128 a side
_EYE_REACH = 0.33  # of the distance between the eyes


def overlap(first_HW: Flags, second_HW: Flags) -> float:
    """Intersection over union, 0..1; two empty masks are alike."""
    union = int((first_HW | second_HW).sum())
    return 1.0 if union == 0 else int((first_HW & second_HW).sum()) / union


def outline_of(mask_HW: Flags) -> Flags:
    """The band around a mask's edge, without what the picture's own edge cuts off."""
    image = Image.fromarray(np.pad(mask_HW, _BAND, mode="edge").astype(np.uint8) * 255)
    band = np.asarray(image.filter(ImageFilter.MaxFilter(_BAND))) != np.asarray(
        image.filter(ImageFilter.MinFilter(_BAND))
    )
    return np.asarray(band[_BAND:-_BAND, _BAND:-_BAND])


def eyes_of(points_P2: Floats, side: int) -> Flags:
    """Discs around both eyes in a picture of `side` pixels a side, [side, side]."""
    left_2, right_2 = (centre_of(points_P2 * side, f"{name} eye") for name in ("left", "right"))
    reach = _EYE_REACH * float(np.linalg.norm(left_2 - right_2))
    rows, columns = np.indices((side, side)) + 0.5
    return np.asarray(
        np.logical_or(*(np.hypot(columns - x, rows - y) <= reach for x, y in (left_2.tolist(), right_2.tolist())))
    )


def gradient_energy(pixels_HWC: Pixels, where_HW: Flags) -> float:
    """The mean square of the luma's slope, in grey levels a pixel, where asked; 0 nowhere: no head has no edge."""
    if not where_HW.any():
        return 0.0
    luma_HW = pixels_HWC @ np.array([0.299, 0.587, 0.114], np.float32)
    down_HW, right_HW = np.gradient(luma_HW)
    return float((down_HW**2 + right_HW**2)[where_HW].mean())


def sharpness(painted: Sequence[float], true: Sequence[float]) -> float:
    """Gradient energy of portraits over that of true renders in the same poses: 1 is as sharp, 0 without any edge."""
    return float(np.sum(painted) / np.sum(true))
