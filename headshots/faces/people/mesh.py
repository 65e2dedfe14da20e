"""Cuts the picture that MediaPipe's face mesh takes, and reads where it puts the edge of a face. Imports numpy, Pillow.

Y. Kartynnik et al.: Real-time facial surface geometry from monocular video on mobile GPUs, 2019. The net answers with
468 points of an upright face, in pixels of its square, and with a number that says whether it saw a face at all.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from headshots.faces.base import Face, Pixels
from headshots.faces.geometry import Floats, similarity
from headshots.faces.people.chips import cut

SIDE = 192
INPUT, POINTS_OUTPUT, SEEN_OUTPUT = "pixels", "output_0", "output_1"
SEEN_FROM = 0.0
"""A logit: from here on a face is as likely as none."""
# fmt: off
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
# fmt: on
"""Its points around the face, from the forehead's middle past the person's left ear to the chin and back."""
CHIN = 18
"""The chin's place in `OVAL`."""
# Of YuNet's box: MediaPipe's own detector has another. So large the net was surest that it sees a face (1.0 to 1.6 were
# tried on two portraits); in a smaller square it has the chin too high, in a larger one the forehead.
_SIDE_OF_BOX = 1.4
# A polygon's edge is drawn so many times finer, up to so many pixels a side.
_FINER, _FINEST_PX = 4, 2048


def square(face: Face) -> npt.NDArray[np.float64]:
    """The [2, 3] matrix from the net's square to the picture: around the face, upright by its eyes."""
    left, top, right, bottom = face.box
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    across = face.landmarks[1] - face.landmarks[0]
    along = across / max(float(np.linalg.norm(across)), 1e-6) * _SIDE_OF_BOX * (bottom - top) / 2
    down = np.array([-along[1], along[0]])
    corners = np.array([(0, 0), (SIDE, 0), (0, SIDE)], np.float32)
    return similarity(corners, np.stack([middle - along - down, middle + along - down, middle - along + down]))


def planes(pixels_HWC: Pixels, matrix_23: npt.NDArray[np.float64]) -> Floats:
    """The square of an upright picture as the net takes it: [1, 3, SIDE, SIDE], 0..1."""
    chip_HWC = cut(pixels_HWC, matrix_23, SIDE)
    return np.ascontiguousarray(chip_HWC.transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def oval(points: Floats, matrix_23: npt.NDArray[np.float64]) -> Floats:
    """The edge of the face, [36, 2] in pixels of the picture; `points`: what the net answers, [1, 1404]."""
    inside_N2 = points.reshape(-1, 3)[list(OVAL), :2]
    return (inside_N2 @ matrix_23[:, :2].T + matrix_23[:, 2]).astype(np.float32)


def fill(outline_N2: Floats, width: int, height: int) -> Floats:
    """The share of each pixel, [H, W] of 0..1, that lies within a polygon."""
    mask_HW = np.zeros((height, width), np.float32)
    left, top = np.floor(outline_N2.min(axis=0)).astype(int).clip(0, (width, height))
    right, bottom = np.ceil(outline_N2.max(axis=0)).astype(int).clip(0, (width, height))
    if right <= left or bottom <= top:
        return mask_HW
    finer = int(np.clip(_FINEST_PX // max(right - left, bottom - top), 1, _FINER))
    drawn = Image.new("L", ((right - left) * finer, (bottom - top) * finer))
    # Whole numbers are the middles of pixels to Pillow, and their corners to all else here.
    ImageDraw.Draw(drawn).polygon([tuple(point) for point in (outline_N2 - (left, top)) * finer - 0.5], fill=255)
    mask_HW[top:bottom, left:right] = np.asarray(drawn.reduce(finer), np.float32) / 255
    return mask_HW
