"""Converts dlib's predictor of five landmarks from its `.dat` to arrays. Imports numpy only.

The file is what dlib's `shape_predictor` writes (dlib/image_processing/shape_predictor.h): a mean shape, cascades of
regression trees, and for each cascade the points at which the trees read the picture.
"""

from __future__ import annotations

import numpy as np

from headshots.faces.people.installing.dat import DatError, DatReader
from headshots.faces.people.points import POINTS, Trees

_VERSION = 1
_Tree = tuple[list[tuple[float, ...]], list[list[float]]]


def convert(data: bytes) -> Trees:
    """The predictor in `data`.

    Raises:
        DatError: when it is none of five points, or its trees differ in depth.
    """
    reader = DatReader(data)
    if reader.integer() != _VERSION:
        raise DatError("no shape predictor of version 1")
    mean = reader.column()
    if len(mean) != 2 * POINTS:
        raise DatError(f"a predictor of {len(mean) // 2} points, not of {POINTS}")
    cascades = reader.vector(lambda: reader.vector(lambda: _tree(reader)))
    anchors = reader.vector(lambda: reader.vector(reader.integer))
    deltas = reader.vector(lambda: reader.vector(lambda: reader.reals(2)))
    if reader.rest:
        raise DatError(f"{reader.rest} bytes are left after the predictor")
    return _arrays(mean, cascades, anchors, deltas)


def _tree(reader: DatReader) -> _Tree:
    splits = reader.vector(lambda: (reader.integer(), reader.integer(), *reader.reals(1)))
    return splits, reader.vector(reader.column)


def _arrays(
    mean: list[float], cascades: list[list[_Tree]], anchors: list[list[int]], deltas: list[list[list[float]]]
) -> Trees:
    try:
        splits = np.array([[tree[0] for tree in trees] for trees in cascades], np.float64)
        leaves = np.array([[tree[1] for tree in trees] for trees in cascades], np.float32)
        return Trees(
            mean_P2=np.array(mean, np.float32).reshape(POINTS, 2),
            pairs_CTS2=splits[..., :2].astype(np.int16),
            thresholds_CTS=splits[..., 2].astype(np.float32),
            leaves_CTLP2=leaves.reshape(*leaves.shape[:3], POINTS, 2),
            anchors_CF=np.array(anchors, np.int8),
            deltas_CF2=np.array(deltas, np.float32),
        )
    except (ValueError, IndexError) as error:
        raise DatError(f"the trees of the predictor differ in depth or number: {error}") from error
