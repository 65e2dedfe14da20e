"""Finds five landmarks of a face by regression trees, as dlib's `shape_predictor` does.

V. Kazemi, J. Sullivan: One millisecond face alignment with an ensemble of regression trees, CVPR 2014. Imports numpy.

Shapes: P = 5 points (the outer and the inner corner of the person's left eye, the same of the right one, and where the
nose meets the lip), C cascades of T trees with S splits and L = S + 1 leaves, F places at which a cascade reads the
picture.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from headshots.faces.base import Pixels
from headshots.faces.geometry import Floats, similarity

POINTS = 5


@dataclass(frozen=True, slots=True)
class Trees:
    """A predictor; coordinates are in units of the face's box, from its top left corner."""

    mean_P2: Floats
    pairs_CTS2: npt.NDArray[np.int16]
    """Of each split, the two places whose grey values are compared."""
    thresholds_CTS: Floats
    leaves_CTLP2: Floats
    """What a leaf moves the points by."""
    anchors_CF: npt.NDArray[np.int8]
    """The point that each place is near."""
    deltas_CF2: Floats
    """From there to the place, in the mean shape."""

    def save(self, path: Path) -> None:
        """Write them as one compressed file."""
        np.savez_compressed(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Trees:
        """Read what `save` wrote.

        Raises:
            OSError, ValueError, KeyError: when the file is missing or another.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return cls(**{field.name: arrays[field.name] for field in fields(cls)})
        except zipfile.BadZipFile as error:
            raise ValueError(f"{path} is no file of arrays") from error

    def predict(self, pixels_HWC: Pixels, box: tuple[float, float, float, float]) -> Floats:
        """The points of the face in `box` (left, top, right, bottom: the first and last pixels within).

        [P, 2]; whole numbers are the middles of pixels, as dlib counts, not their corners.
        """
        grey_HW = (pixels_HWC.astype(np.int32).sum(axis=2) // 3).astype(np.float32)
        origin = np.array(box[:2], np.float32)
        extent = np.array((box[2] - box[0], box[3] - box[1]), np.float32)
        shape_P2 = self.mean_P2
        for cascade in range(len(self.anchors_CF)):
            turn_22 = similarity(self.mean_P2, shape_P2)[:, :2].astype(np.float32)
            places_F2 = self.deltas_CF2[cascade] @ turn_22.T + shape_P2[self.anchors_CF[cascade]]
            grey_F = _read(grey_HW, places_F2 * extent + origin)
            shape_P2 = shape_P2 + self._step(cascade, grey_F)
        return (shape_P2 * extent + origin).astype(np.float32)

    def _step(self, cascade: int, grey_F: Floats) -> Floats:
        """What the trees of one cascade move the points by: the sum of the leaf that each comes to."""
        pairs_TS2, thresholds_TS = self.pairs_CTS2[cascade], self.thresholds_CTS[cascade]
        goes_left_TS = grey_F[pairs_TS2[..., 0]] - grey_F[pairs_TS2[..., 1]] > thresholds_TS
        trees, splits = thresholds_TS.shape
        node_T, all_trees = np.zeros(trees, np.int64), np.arange(trees)
        # Whole binary trees, stored level by level: the children of split n are 2n + 1 and 2n + 2.
        for _ in range((splits + 1).bit_length() - 1):
            node_T = 2 * node_T + np.where(goes_left_TS[all_trees, node_T], 1, 2)
        moved: Floats = self.leaves_CTLP2[cascade][all_trees, node_T - splits].sum(axis=0)
        return moved


def _read(grey_HW: Floats, places_F2: Floats) -> Floats:
    """Grey at the nearest pixels, 0..255; 0 beyond the picture."""
    height, width = grey_HW.shape
    columns, rows = np.floor(places_F2 + 0.5).astype(np.int64).T
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    return np.where(inside, grey_HW[rows.clip(0, height - 1), columns.clip(0, width - 1)], np.float32(0))
