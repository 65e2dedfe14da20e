"""Reads how old a face looks from the answer of the age net, and tells which faces it may be asked about.

The net is `dnn_age_predictor_v1` of dlib's models, by Cydral Technology: shares of the ages 0 to 80. Imports numpy.
"""

from __future__ import annotations

import numpy as np

from headshots.faces.base import Face, Pixels
from headshots.faces.geometry import Floats

SIDE = 64
INPUT, OUTPUT = "images", "probabilities"
_MEANS, _SCALE = (122.782, 117.001, 104.298), 1 / 256
# The class of babies stands for a quarter of a year.
_YEARS = np.array([0.25, *range(1, 81)], np.float32)
# Turned further, faces were taken for younger ones; the nose's tip beside the middle of the eyes, in their distance.
_FURTHEST_TURN = 0.3
_LEAST_HEIGHT_PX = 48


def is_telling(face: Face) -> bool:
    """Whether the net may be asked: the face looks ahead and is not tiny."""
    left_eye, right_eye, nose = face.landmarks[:3]
    across = right_eye - left_eye
    apart = max(float(np.linalg.norm(across)), 1.0)
    turn = float((nose - (left_eye + right_eye) / 2) @ across) / apart**2
    return abs(turn) <= _FURTHEST_TURN and face.height_px >= _LEAST_HEIGHT_PX


def picture(chip_HWC: Pixels) -> Floats:
    """A face of SIDE x SIDE pixels as the net takes it."""
    planes = (chip_HWC.astype(np.float32) - np.array(_MEANS, np.float32)) * np.float32(_SCALE)
    return np.ascontiguousarray(planes.transpose(2, 0, 1)[None])


def expected(shares: Floats) -> float:
    """The mean age, in years, of the shares of each."""
    return float(shares @ _YEARS)
