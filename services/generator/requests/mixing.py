"""Mixes what is painted with the source's own pixels, as the mask says. Pure numpy.

At the edge of hair a pixel of the source shows partly what was behind it. Mixed in as it is, it would leave a rim of
the old backdrop around the person. So the source's colour there is taken from the nearest pixels that are kept whole.

Shapes: H, W pixels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
FloatPixels = npt.NDArray[np.float32]
Shares = npt.NDArray[np.uint8]

LIGHT = 128
"""A mask is light from half on, as stock inpainting pipelines cut it."""


def cut(mask_HW: Shares) -> Shares:
    """0 or 255: the mask without shares between."""
    return np.where(mask_HW >= LIGHT, np.uint8(255), np.uint8(0))


def mixed(painted_HWC: Pixels, source_HWC: Pixels, mask_HW: Shares) -> Pixels:
    """``painted`` where the mask is 255, ``source`` where it is 0, to the bit; between, so much of each."""
    between_HW = (mask_HW > 0) & (mask_HW < 255)
    out = np.where((mask_HW == 255)[..., None], painted_HWC, source_HWC)
    if between_HW.any():
        own_HWC = _spread(source_HWC, mask_HW == 0, between_HW)
        share_HW1 = (mask_HW[..., None] / 255).astype(np.float32)
        blend = share_HW1 * painted_HWC + (1 - share_HW1) * own_HWC
        out[between_HW] = np.rint(blend[between_HW]).clip(0, 255).astype(np.uint8)
    return out


def _spread(source_HWC: Pixels, known_HW: npt.NDArray[np.bool_], wanted_HW: npt.NDArray[np.bool_]) -> FloatPixels:
    """The source, with the colours of the wanted pixels grown outwards from those that are known, a pixel a round.

    Where nothing known is near, as in a mask without a dark pixel, the source's own colours stay.
    """
    colours = np.where(known_HW[..., None], source_HWC, 0).astype(np.float32)
    known = known_HW.astype(np.float32)
    while True:
        weight, total = _around(known[..., None]), _around(colours)
        reached = wanted_HW & (known == 0) & (weight[..., 0] > 0)
        if not reached.any():
            break
        colours[reached] = total[reached] / weight[reached]
        known[reached] = 1
    return np.where((known > 0)[..., None], colours, source_HWC)


def _around(values_HWC: FloatPixels) -> FloatPixels:
    """The sum over each pixel and its eight neighbours."""
    height, width = values_HWC.shape[:2]
    padded = np.pad(values_HWC, ((1, 1), (1, 1), (0, 0)))
    moved = [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return np.asarray(np.add.reduce(moved), np.float32)
