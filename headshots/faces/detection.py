"""Turns a detector's maps into faces: peaks, boxes, landmarks. Plain numpy.

Shapes: C x C cells of STRIDE pixels in a square of SIDE pixels; G = 14 geometry values a cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headshots.faces.base import LANDMARKS

Floats = npt.NDArray[np.float32]

SIDE = 128  # pixels a side of what the detector sees
STRIDE = 4
CELLS = SIDE // STRIDE
SIZE_UNIT = 32.0  # a predicted size of 0 means a box of so many pixels
OVERLAP = 0.4  # of two boxes that share more of their union, the surer one stays


@dataclass(frozen=True, slots=True)
class Detection:
    """One face in the detector's square, in its pixels."""

    score: float
    corners_22: Floats  # left top, right bottom
    landmarks_52: Floats


def detections(heat_CC: Floats, geometry_GCC: Floats, sure_from: float) -> list[Detection]:
    """Faces at the peaks of `heat` (0..1) that reach `sure_from`, surest first, each face once."""
    padded = np.pad(heat_CC, 1, constant_values=-1.0)
    neighbours = np.max(np.lib.stride_tricks.sliding_window_view(padded, (3, 3)), axis=(2, 3))
    rows, columns = np.nonzero((heat_CC >= neighbours) & (heat_CC >= sure_from))
    order = np.argsort(-heat_CC[rows, columns], kind="stable")
    kept: list[Detection] = []
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        found = _decode(float(heat_CC[row, column]), geometry_GCC[:, row, column], row, column)
        if all(overlap(found.corners_22, other.corners_22) < OVERLAP for other in kept):
            kept.append(found)
    return kept


def _decode(score: float, geometry_G: Floats, row: int, column: int) -> Detection:
    centre = (np.array([column, row], np.float32) + 0.5 + geometry_G[:2]) * STRIDE
    size = SIZE_UNIT * np.exp(np.clip(geometry_G[2:4], -4.0, 4.0))
    corners = np.stack([centre - size / 2, centre + size / 2])
    landmarks = centre + geometry_G[4:].reshape(len(LANDMARKS), 2) * size
    return Detection(score, corners.astype(np.float32), landmarks.astype(np.float32))


def overlap(first_22: Floats, second_22: Floats) -> float:
    """Intersection over union of two boxes given by their corners, 0..1."""
    sides = np.minimum(first_22[1], second_22[1]) - np.maximum(first_22[0], second_22[0])
    shared = float(np.prod(np.maximum(sides, 0)))
    whole = float(np.prod(first_22[1] - first_22[0]) + np.prod(second_22[1] - second_22[0])) - shared
    return shared / max(whole, 1e-9)
