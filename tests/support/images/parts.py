"""Compares masks of a picture's parts with the truth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headshots.faces.base import Mask


def mask_iou(told_HW: Mask, true_HW: npt.NDArray[np.bool_]) -> float:
    """Intersection over union, 0..1; a pixel is told from a share of a half on."""
    told = told_HW >= 0.5
    return float((told & true_HW).sum() / max((told | true_HW).sum(), 1))
