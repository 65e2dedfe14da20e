"""Draws masks of what a remix repaints, from what a face analyzer tells of a picture. Imports numpy and Pillow.

Shapes: H, W pixels of the picture.
"""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from headshots.faces.base import Mask, Parts
from services.gateway.remixes.changes import Change

Region = npt.NDArray[np.bool_]

_SURE = 0.5
"""Share of a pixel from which it counts as showing a part."""
_EDGE = 0.008
"""Of the picture's shorter side: by so much the region grows, and over twice as much its edge is soft."""


def draw_mask(parts: Parts, change: Change) -> bytes | None:
    """A PNG of grey values: 255 where the change is painted, 0 where the picture stays, between them at the edges.

    None where the parts do not tell, where nobody is in the picture, or nothing of what changes.
    """
    if parts.clothes_HW is None or not (parts.face_HW > _SURE).any():
        return None
    head_HW = parts.head_HW > _SURE
    clothes_HW = _closed(parts.clothes_HW) & ~head_HW
    if change is Change.OUTFIT:
        region_HW, held_HW = clothes_HW, head_HW
    else:
        region_HW = ~(head_HW | clothes_HW)
        held_HW = np.zeros_like(region_HW)
    if not region_HW.any():
        return None
    out = io.BytesIO()
    Image.fromarray(_softened(region_HW, held_HW)).save(out, "PNG")
    return out.getvalue()


def _closed(clothes_HW: Mask) -> Region:
    """Clothes, and what lies between clothes in a row of pixels: a hole in them is the analyzer's error."""
    told_HW = clothes_HW > _SURE
    before_HW = np.logical_or.accumulate(told_HW, axis=1)
    after_HW = np.logical_or.accumulate(told_HW[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(before_HW & after_HW)


def _softened(region_HW: Region, held_HW: Region) -> npt.NDArray[np.uint8]:
    """Shares of 255, which fall over the region's edge from inside it outwards; what is held stays 0.

    The edge lies a little outside of the region: what an analyzer tells is off by a pixel, and one pixel of the old
    backdrop around the hair is a halo.
    """
    step = max(1, round(_EDGE * min(region_HW.shape)))
    margin = 4 * step
    image = Image.fromarray(np.pad(region_HW, margin, mode="edge").astype(np.uint8) * 255)
    grown = image.filter(ImageFilter.MaxFilter(2 * step + 1)).filter(ImageFilter.BoxBlur(step))
    share_HW = np.asarray(grown)[margin:-margin, margin:-margin].copy()
    share_HW[held_HW] = 0
    return share_HW
