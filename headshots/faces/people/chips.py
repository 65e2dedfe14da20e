"""Cuts the upright pictures of one face that the nets take. Imports numpy and Pillow only.

dlib places five landmarks where its `get_face_chip_details` says (dlib/image_transforms/interpolation.h): those of a
mean face, in a square with a margin all around.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from headshots.faces.base import Pixels
from headshots.faces.geometry import Floats, similarity
from headshots.faces.people.points import Trees

# Where the five landmarks stand in a mean face of side 1.
_MEAN_FACE = np.array(
    [
        (0.8595674595992, 0.2134981538014),
        (0.6460604764104, 0.2289674387677),
        (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242),
        (0.4901123135679, 0.6277975316475),
    ],
    np.float32,
)
# Of a pixel. Whole numbers are the middles of pixels to dlib, and their corners to all else here.
_CENTRE = 0.5
# The square in which landmarks are looked for, and its margin on each side, in pixels.
_BOX, _MARGIN = 150, 75


def refine(pixels_HWC: Pixels, landmarks_52: Floats, trees: Trees) -> Floats:
    """dlib's five landmarks, [5, 2] in pixels of the picture.

    The trees know upright faces: the face is turned by its eyes first, and put where they expect it.

    Args:
        pixels_HWC: the picture, upright.
        landmarks_52: of the detector, in the order of `headshots.faces.LANDMARKS`.
        trees: the predictor.
    """
    mean = trees.mean_P2
    expected = np.stack([mean[2:4].mean(axis=0), mean[0:2].mean(axis=0)]) * _BOX + _MARGIN + _CENTRE
    matrix = similarity(expected.astype(np.float32), landmarks_52[:2])
    crop = cut(pixels_HWC, matrix, _BOX + 2 * _MARGIN)
    found = trees.predict(crop, (_MARGIN, _MARGIN, _MARGIN + _BOX, _MARGIN + _BOX))
    return ((found + _CENTRE) @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def embedder_chip(pixels_HWC: Pixels, points_P2: Floats) -> Pixels:
    """The face upright, uint8 [150, 150, 3], as dlib's network was trained: a quarter of a mean face around it."""
    return _chip(pixels_HWC, points_P2, 150, 0.25)


def age_chip(pixels_HWC: Pixels, points_P2: Floats) -> Pixels:
    """The face upright, uint8 [64, 64, 3], as the age net was trained: a fifth of a mean face around it."""
    return _chip(pixels_HWC, points_P2, 64, 0.2)


def _chip(pixels_HWC: Pixels, points_P2: Floats, side: int, margin: float) -> Pixels:
    template = (_MEAN_FACE + margin) / (1 + 2 * margin) * side + _CENTRE
    return cut(pixels_HWC, similarity(template, points_P2), side)


def cut(pixels_HWC: Pixels, matrix_23: npt.NDArray[np.float64], side: int) -> Pixels:
    """A square whose pixels `matrix` brings to those of the picture; black beyond it."""
    size = pixels_HWC.shape[1], pixels_HWC.shape[0]
    corners = np.array([(0, 0), (side, 0), (0, side), (side, side)]) @ matrix_23[:, :2].T + matrix_23[:, 2]
    # Bilinear sampling reads four neighbours: shrink large faces first, or it would skip pixels.
    factor = max(int(np.hypot(matrix_23[0, 0], matrix_23[1, 0])), 1)
    # Of a large photo only what is around the face is copied and read: copying all of it takes longer than the nets.
    left, top = (min(max(int(edge) - factor, 0), end - 1) for edge, end in zip(corners.min(axis=0), size, strict=True))
    right, bottom = (
        min(max(int(edge) + 2 * factor, 1), end) for edge, end in zip(corners.max(axis=0), size, strict=True)
    )
    # Of a very large face some rows, three and more for each that is left.
    step = max(factor // 3, 1)
    around = Image.fromarray(pixels_HWC[min(top + step // 2, bottom - 1) : bottom : step, left:right])
    shrunk = around.reduce((factor, factor // step))
    per_pixel = np.array([[factor], [step * (factor // step)]])
    shifted = (matrix_23 - np.array([[0, 0, left], [0, 0, top]])) / per_pixel
    values = shifted.ravel().tolist()
    return np.asarray(shrunk.transform((side, side), Image.Transform.AFFINE, values, Image.Resampling.BILINEAR))
