"""Cuts the picture that Yahoo's open_nsfw takes. Imports numpy and Pillow only.

As its reference does (github.com/yahoo/open_nsfw, classify_nsfw.py), but for the JPEG that it writes and reads between:
shrunk to 256 x 256 whatever the picture's shape, the middle 224 x 224, blue first, a mean subtracted.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from headshots.faces.base import Pixels
from headshots.faces.geometry import Floats

SIDE = 224
INPUT, OUTPUT = "input:0", "outputs"
_WHOLE = 256
_MEANS_BGR = (104, 117, 123)


def prepare(pixels_HWC: Pixels) -> Floats:
    """Any upright sRGB picture as the net takes it: [1, SIDE, SIDE, 3]."""
    whole = Image.fromarray(pixels_HWC).resize((_WHOLE, _WHOLE), Image.Resampling.BILINEAR)
    edge = (_WHOLE - SIDE) // 2
    return picture(np.asarray(whole.crop((edge, edge, edge + SIDE, edge + SIDE))))


def picture(pixels_HWC: Pixels) -> Floats:
    """One of SIDE x SIDE pixels as the net takes it."""
    return np.ascontiguousarray((pixels_HWC[..., ::-1].astype(np.float32) - np.array(_MEANS_BGR, np.float32))[None])
