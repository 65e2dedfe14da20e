"""Breaks drawn faces on purpose, as painted ones break: a measure of naturalness has to see each of these.

Points and sizes are in pixels of the picture; x and y.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from foundry.portraits import POINTS, Portrait
from headshots.faces.base import Part

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
# Of a portrait and its landmarks [P, 2], the broken picture.
Break = Callable[[Portrait, Floats, np.random.Generator], Pixels]


def centre_of(points_P2: Floats, part: str) -> Floats:
    """The middle of the landmarks whose names begin with `part`, as "left eye": [2]."""
    chosen = [number for number, name in enumerate(POINTS) if name.startswith(part)]
    return np.asarray(points_P2[chosen].mean(axis=0))


def squeezed_eye(portrait: Portrait, points_P2: Floats, rng: np.random.Generator) -> Pixels:
    """One eye at 0.4 to 0.6 of its height."""
    centre_2 = centre_of(points_P2, _either(rng, "left eye", "right eye"))
    height = float(rng.uniform(0.4, 0.6))

    def source(from_centre_HW2: Floats) -> Floats:
        return np.asarray(from_centre_HW2 * np.array([0, 1 / height - 1], np.float32))

    return _warped(portrait.pixels, centre_2, 0.3 * _eye_distance(points_P2), source)


def shifted_eye(portrait: Portrait, points_P2: Floats, rng: np.random.Generator) -> Pixels:
    """One eye too high or low, by an eighth to a fifth of the eyes' distance."""
    centre_2 = centre_of(points_P2, _either(rng, "left eye", "right eye"))
    shift = _signed(rng, 0.13, 0.2) * _eye_distance(points_P2)
    return _warped(portrait.pixels, centre_2, 0.4 * _eye_distance(points_P2), lambda _: _by(0, -shift))


def shifted_mouth(portrait: Portrait, points_P2: Floats, rng: np.random.Generator) -> Pixels:
    """The mouth beside the middle, by a sixth to a quarter of the eyes' distance."""
    shift = _signed(rng, 0.17, 0.26) * _eye_distance(points_P2)
    centre_2 = centre_of(points_P2, "mouth")
    return _warped(portrait.pixels, centre_2, 0.55 * _eye_distance(points_P2), lambda _: _by(-shift, 0))


def slanted_mouth(portrait: Portrait, points_P2: Floats, rng: np.random.Generator) -> Pixels:
    """One corner of the mouth up, the other down: a slope of a quarter to four tenths."""
    slope = _signed(rng, 0.25, 0.4)

    def source(from_centre_HW2: Floats) -> Floats:
        return np.stack([np.zeros_like(from_centre_HW2[..., 0]), slope * from_centre_HW2[..., 0]], axis=-1)

    return _warped(portrait.pixels, centre_of(points_P2, "mouth"), 0.5 * _eye_distance(points_P2), source)


def smeared_eye(portrait: Portrait, points_P2: Floats, rng: np.random.Generator) -> Pixels:
    """One eye without a clear pupil or lid."""
    centre_2 = centre_of(points_P2, _either(rng, "left eye", "right eye"))
    rows, columns = _from_centre(portrait.pixels, centre_2)
    near = np.exp(-(rows**2 + columns**2) / (2 * (0.28 * _eye_distance(points_P2)) ** 2))
    return _blurred(portrait.pixels, np.asarray(np.minimum(1.5 * near, 1), np.float32), _sigma(points_P2))


def blurred_hair(portrait: Portrait, points_P2: Floats, rng: np.random.Generator) -> Pixels:
    """Hair and what surrounds it run into each other."""
    del rng
    hair = Image.fromarray((portrait.parts == Part.HAIR).astype(np.uint8) * 255)
    around = np.asarray(hair.filter(ImageFilter.GaussianBlur(2)), np.float32) / 255
    return _blurred(portrait.pixels, np.minimum(2 * around, np.float32(1)), 1.2 * _sigma(points_P2))


WAYS: Mapping[str, Break] = {
    "squeezed eye": squeezed_eye,
    "shifted mouth": shifted_mouth,
    "blurred hair": blurred_hair,
    "shifted eye": shifted_eye,
    "slanted mouth": slanted_mouth,
    "smeared eye": smeared_eye,
}


def _warped(pixels_HWC: Pixels, centre_2: Floats, reach: float, source: Callable[[Floats], Floats]) -> Pixels:
    """Pixels fetched from elsewhere near a place, unchanged far from it.

    Args:
        pixels_HWC: the picture.
        centre_2: x and y of the place.
        reach: the distance within which most changes; at twice that nothing does.
        source: of offsets from the centre, [H, W, 2], how much further the pixel comes from, [H, W, 2] or [2].
    """
    rows, columns = _from_centre(pixels_HWC, centre_2)
    distance = np.hypot(rows, columns) / reach
    weight = np.clip(2 - distance, 0, 1)[..., None]
    moved = weight * source(np.stack([columns, rows], axis=-1).astype(np.float32))
    return _sampled(pixels_HWC, columns + moved[..., 0] + centre_2[0], rows + moved[..., 1] + centre_2[1])


def _sampled(pixels_HWC: Pixels, x_HW: Floats, y_HW: Floats) -> Pixels:
    """Bilinear, the edge repeated. Coordinates are continuous: the first pixel's middle is at 0.5."""
    height, width = pixels_HWC.shape[:2]
    x, y = np.clip(x_HW - 0.5, 0, width - 1.001), np.clip(y_HW - 0.5, 0, height - 1.001)
    left, top = x.astype(np.int64), y.astype(np.int64)
    right_share, lower_share = (x - left)[..., None], (y - top)[..., None]
    upper = pixels_HWC[top, left] * (1 - right_share) + pixels_HWC[top, left + 1] * right_share
    lower = pixels_HWC[top + 1, left] * (1 - right_share) + pixels_HWC[top + 1, left + 1] * right_share
    return np.asarray(np.rint(upper * (1 - lower_share) + lower * lower_share), np.uint8)


def _blurred(pixels_HWC: Pixels, weight_HW: Floats, sigma: float) -> Pixels:
    soft = np.asarray(Image.fromarray(pixels_HWC).filter(ImageFilter.GaussianBlur(sigma)), np.float32)
    mixed = pixels_HWC * (1 - weight_HW[..., None]) + soft * weight_HW[..., None]
    return np.asarray(np.rint(mixed), np.uint8)


def _from_centre(pixels_HWC: Pixels, centre_2: Floats) -> tuple[Floats, Floats]:
    """Rows and columns of pixel middles from a place, [H, W] each."""
    rows, columns = np.indices(pixels_HWC.shape[:2], np.float32)
    return rows + 0.5 - centre_2[1], columns + 0.5 - centre_2[0]


def _eye_distance(points_P2: Floats) -> float:
    return float(np.linalg.norm(centre_of(points_P2, "left eye") - centre_of(points_P2, "right eye")))


def _sigma(points_P2: Floats) -> float:
    return 0.1 * _eye_distance(points_P2)


def _by(x: float, y: float) -> Floats:
    return np.array([x, y], np.float32)


def _signed(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high) * rng.choice([-1, 1]))


def _either(rng: np.random.Generator, first: str, second: str) -> str:
    return first if rng.random() < 0.5 else second
