"""Measures a photo before a training: sharpness, exposure, likeness to other photos, variety.

Pure functions on arrays, numpy and Pillow only. Shapes: H, W height and width in pixels, N bits of a hash; `luma_HW` is
float32, 0 to 255.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

Floats = npt.NDArray[np.float32]
Bits = npt.NDArray[np.bool_]
Number = TypeVar("Number", bound=np.generic)
Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels

FACE_SIDE_PX = 96
"""Faces are brought to this size before their sharpness is measured, so that it does not depend on the photo's size."""
PHOTO_SIDE_PX = 192
"""The same for whole photos."""
_TILES = 4
_HASH_SIDE, _HASH_PX = 12, 32
_LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)  # Rec. 709
# Keeps the ratio of a picture without any contrast at 0 instead of 0/0; the variance of noise that nobody sees.
_FLAT_VARIANCE = 25.0


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """From where on a photo is not usable.

    Chosen with `python -m benchmarks.photo_quality`, which prints the figures quoted here: 160 selfies of 20 people
    that foundry.portraits drew (256 pixels, as the demo's), and the same ones made worse. No real person's photos were
    at hand, so for those the limits are kept wide: they are meant to catch the hopeless, not to judge taste.
    """

    min_side_px: int = 128
    """The photo's shorter side. The gateway asks for half of what the foundation paints (half: blown up to twice its
    size a picture has about the sharpness that the blur limits still allow), and at least for what uploads need."""
    min_face_sharpness: float = 0.03
    """`face_sharpness`: selfies 0.150 and more; blurred by 0.4 % of the frame's width 0.059 and more, and still good;
    by 1.2 % at most 0.044 (in 95 of 100 at most 0.021), and of no use."""
    min_photo_sharpness: float = 0.012
    """`photo_sharpness`, where no face is known: selfies 0.087 and more, blurred by 0.4 % 0.026 and more, by 1.6 % at
    most 0.032 (median 0.005). Lower than for faces, because a good photo may be soft almost everywhere."""
    min_bright_luma: float = 60.0
    """Luma that the brightest twentieth of the face, else of the photo, reaches. A high percentile and not a mean, so
    that dark skin, dark hair or a black wall is not called a dark photo: faces of selfies reach 82 and more, in a
    quarter of their light at most 63."""
    max_face_luma: float = 235.0
    """Median luma of the face: of selfies at most 195; four times as bright 255 in most, and nothing left to learn."""
    max_photo_luma: float = 235.0
    """Luma that three quarters of the photo exceed, where no face is known: a white wall is no fault, so only gross
    faults count. Selfies at most 158; four times as bright 247 in most."""
    max_duplicate_distance: float = 16 / 143
    """`hash_distance` up to which two photos are one: 16 of 143 bits. The same photo saved at quality 30, at half its
    size, grey, brighter by a fifth, darker by a third or slightly blurred is at most 14 bits away, with a fiftieth cut
    off all around 14 in most; different selfies of one person are 26 bits apart or more."""
    min_face_share: float = 0.15
    """Height of the face over the photo's shorter side: below, a foundation of 512 pixels sees fewer than 77 of it.
    Drawn selfies 0.50 and more."""
    max_face_outside: float = 0.1
    """Share of the face's box that lies outside the photo: an ear or some of the chin may."""
    min_face_width: float = 0.6
    """`facing.face_width`, below which a face is turned too far. Two portraits 1.04 and 1.06; a head that was modelled
    on each, turned by 30 degrees, 0.83 and more, by 45 to 55 0.66 to 0.75, by 60 0.53 to 0.72, by 65 0.57 and less.
    Drawn selfies, which are turned by 22 degrees at most, 0.83 and more."""
    min_eye_brightness: float = 0.5
    """`facing.eye_brightness`, below which nobody sees the eyes. Two portraits, one with glasses, 0.85 and more,
    however turned; drawn selfies of any skin 0.93 and more. Black to grey glasses that were painted over the eyes 0.06
    to 0.45; ones through which they can be seen, 0.49 and more. Mirrored ones are as bright as what they show."""
    max_unsafe: float = 0.8
    """How sure the analyzer may be that the photo shows nudity: from here Yahoo's own advice calls its net sure."""
    min_adult_years: float = 25.0
    """Median of the years that the person looks, from which nobody asks for their age: 18, and 7 for the net's error,
    as shops do that ask whoever looks under 25. One astronaut of about 36 looked 28 to 37 in crops of one photo."""
    min_second_face: float = 0.5
    """Height of another face over the largest one's, from which the photo shows two people rather than a passer-by."""
    min_hash_spread: float = 0.22
    """`hash_spread` of a set: selfies 0.364 and more, in one outfit before one wall 0.238 and more, a burst in which
    only the head moves at most 0.203."""
    min_pose_spread: float = 0.045
    """`pose_spread` of a set: selfies 0.055 and more, bursts at most 0.048 (in 95 of 100 at most 0.043). Only a set
    that is below both limits has too little variety."""
    min_photos: int = 6
    """Usable photos that a training needs."""


def luma(pixels_HWC: npt.NDArray[np.uint8]) -> Floats:
    """Rec. 709 luma of sRGB pixels, without linearising: as bright as people see it."""
    return pixels_HWC.astype(np.float32) @ _LUMA


def cut(picture: npt.NDArray[Number], box: Box) -> npt.NDArray[Number]:
    """The part of a picture, [H, W] or [H, W, C], within the box, at least one pixel."""
    height, width = picture.shape[:2]
    left, top = (min(max(0, round(box[axis])), size - 1) for axis, size in ((0, width), (1, height)))
    right, bottom = max(left + 1, round(box[2])), max(top + 1, round(box[3]))
    return picture[top:bottom, left:right]


def face_sharpness(face_HW: Floats) -> float:
    """Variance of the Laplacian over that of luma, at most `FACE_SIDE_PX` wide and high: 0 to some 2.

    The variance of the Laplacian is a usual measure of focus (Pech-Pacheco et al., ICPR 2000); over the contrast it
    depends little on the light. A face that is smaller is not blown up.
    """
    return detail(_shrunk(face_HW, FACE_SIDE_PX))


def detail(luma_HW: Floats) -> float:
    """As `face_sharpness`, at the size that the picture has: 0 where it is too small to tell."""
    return _ratio(float(laplacian(luma_HW).var()), luma_HW) if min(luma_HW.shape) > 2 else 0.0


def photo_sharpness(luma_HW: Floats) -> float:
    """As `face_sharpness` at `PHOTO_SIDE_PX`, of the sharpest tenth of 4 x 4 tiles: backdrops may be out of focus."""
    small_HW = _shrunk(luma_HW, PHOTO_SIDE_PX)
    if min(small_HW.shape) < 2 * _TILES + 2:
        return 0.0
    rows = np.array_split(laplacian(small_HW), _TILES)
    tiles = [float(tile.var()) for row in rows for tile in np.array_split(row, _TILES, axis=1)]
    return _ratio(float(np.percentile(tiles, 90)), small_HW)


def perceptual_hash(luma_HW: Floats) -> Bits:
    """143 bits that hardly change when a picture is scaled, compressed or lit otherwise.

    Which of the 12 x 12 lowest coefficients of a discrete cosine transform, the mean apart, are above their median
    (the pHash of Zauner, 2010, with more coefficients: portraits resemble each other coarsely).
    """
    picture = Image.fromarray(luma_HW).resize((_HASH_PX, _HASH_PX), Image.Resampling.BOX)
    coefficients = (_COSINES @ np.asarray(picture) @ _COSINES.T).ravel()[1:]
    bits: Bits = coefficients > np.median(coefficients)
    return bits


def hash_distance(one_N: Bits, other_N: Bits) -> float:
    """Share of bits that differ, 0 to 1: about 0.5 for unrelated pictures."""
    return float((one_N != other_N).mean())


def hash_spread(hashes: Sequence[Bits]) -> float:
    """Median distance of all pairs, 0 to 1; of fewer than two pictures 0."""
    return float(np.median([hash_distance(*pair) for pair in combinations(hashes, 2)] or [0.0]))


def pose(landmarks: Floats) -> Floats:
    """Where the nose is between the eyes, in distances of the eyes, [2]: moves with the head's turn and tilt.

    Args:
        landmarks: [5, 2], in the order of `headshots.faces.LANDMARKS`.
    """
    left_eye, right_eye, nose = landmarks[:3]
    # Eyes in one spot are no face; the distance of a pixel keeps such a one from being infinitely far turned.
    apart = max(float(np.linalg.norm(right_eye - left_eye)), 1.0)
    return np.asarray((nose - (left_eye + right_eye) / 2) / apart, dtype=np.float32)


def pose_spread(poses: Sequence[Floats]) -> float:
    """Standard deviation of `pose` in the direction in which it is larger; of fewer than two faces 0."""
    return float(np.std(np.stack(poses), axis=0).max()) if len(poses) > 1 else 0.0


def outside_share(box: Box, width: int, height: int) -> float:
    """Share of the box that is not in the picture, 0 to 1."""
    left, top, right, bottom = box
    area = max(right - left, 0.0) * max(bottom - top, 0.0)
    inside = max(min(right, width) - max(left, 0.0), 0.0) * max(min(bottom, height) - max(top, 0.0), 0.0)
    return 1.0 - inside / area if area > 0 else 1.0


def _cosines() -> Floats:
    """The first rows of the orthogonal DCT-II, up to factors that do not change the order: [12, 32]."""
    row, column = np.arange(_HASH_SIDE)[:, None], np.arange(_HASH_PX)[None]
    return np.asarray(np.cos(np.pi * (2 * column + 1) * row / (2 * _HASH_PX)), dtype=np.float32)


_COSINES = _cosines()


def _shrunk(luma_HW: Floats, side_px: int) -> Floats:
    """At most `side_px` wide and high, averaged over areas so that noise counts for less; never blown up."""
    height, width = luma_HW.shape
    scale = side_px / max(height, width)
    if scale >= 1:
        return luma_HW
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(np.ascontiguousarray(luma_HW)).resize(size, Image.Resampling.BOX))


def laplacian(luma_HW: Floats) -> Floats:
    """Four neighbours, without the border."""
    around: Floats = luma_HW[:-2, 1:-1] + luma_HW[2:, 1:-1] + luma_HW[1:-1, :-2] + luma_HW[1:-1, 2:]
    return 4 * luma_HW[1:-1, 1:-1] - around


def _ratio(detail: float, luma_HW: Floats) -> float:
    return detail / (float(luma_HW.var()) + _FLAT_VARIANCE)
