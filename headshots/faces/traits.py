"""Measures glasses and beards by pixels alone: no net that tells either may be used here (decision 47).

Glasses are looked for where their frames are: a bar across the bridge of the nose, and the lower rims below the eyes
(Jiang et al. 2000; Fernandez et al. 2015). A beard is a chin of another colour than skin in the same shade. What is
between the limits is not known: an answer that is wrong costs more than none.

Shapes: H, W pixels of an upright picture of the face; P rows or columns of a profile. Colours are CIELAB, in which a
distance of about 2 is just seen, or linear RGB. Imports numpy and Pillow only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from headshots.faces.base import Face, Pixels, Trait, Traits
from headshots.faces.geometry import similarity

Colours = npt.NDArray[np.float64]  # [..., 3]

# The upright picture: the eyes are so many pixels apart, at this row, and all else is told in that distance.
_APART, _EYE_ROW, _WIDTH, _HEIGHT = 48, 64, 168, 208
_UPRIGHT = np.array([((_WIDTH - _APART) / 2, _EYE_ROW), ((_WIDTH + _APART) / 2, _EYE_ROW)], np.float32)
# Faces whose eyes are nearer to each other, in pixels of the picture, or that are turned further are not asked. The
# turn is the nose's place beside the middle of the eyes, in their distance.
_LEAST_APART_PX, _FURTHEST_TURN = 12, 0.3
# How far from a frame the skin above and below it is looked at: of the bridge, and of the rims.
_BRIDGE_REACH, _RIM_REACH = 5, 6

# Chosen on 480 pictures of as many drawn people of training numbers (from 3,000), each analyzed by `bundled` and
# `people`, and on six portraits of three people, five without glasses: their bridges and rims have up to 6.4 and 7.0,
# the pair of glasses 12 and 6.6 and more. docs/analyzers.md has what came out on people held out.
_RIM_FROM, _RIM_BELOW = 6.5, 3.0
_BRIDGE_FROM, _BRIDGE_BELOW = 9.0, 5.0
_BEARD_FROM, _BEARD_BELOW, _CHIN_BELOW = 10.0, 4.0, 10.0
# Of skin: a picture without colours tells no beard from a shadow.
_LEAST_CHROMA = 5.0
_UNKNOWN = Trait(None, 0.0)

_TO_XYZ = np.array([(0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)])
_WHITE = _TO_XYZ.sum(axis=1)
_LUMINANCE = _TO_XYZ[1]
# Of luminance: keeps black from being divided by.
_BLACK = 1e-4


def measure_traits(pixels_HWC: Pixels, face: Face) -> Traits:
    """What a face wears; unknown where it is too small or turned too far.

    Scores are distances in CIELAB: of the lower rims from the skin around them (glasses, the fainter of both), and of
    the chin from skin in the same shade (beard).
    """
    left_eye, right_eye, nose = face.landmarks[:3]
    across = right_eye - left_eye
    apart = float(np.linalg.norm(across))
    if apart < _LEAST_APART_PX or abs((nose - (left_eye + right_eye) / 2) @ across) > _FURTHEST_TURN * apart**2:
        return Traits(_UNKNOWN, _UNKNOWN)
    upright = _Upright.of(pixels_HWC, face)
    return Traits(_glasses(_lab(upright.linear_HW3)), _beard(upright))


@dataclass(frozen=True)
class _Upright:
    """A face turned upright: linear RGB, and where nose tip and mouth are in it."""

    linear_HW3: Colours
    nose: tuple[float, float]
    mouth: tuple[float, float]

    @classmethod
    def of(cls, pixels_HWC: Pixels, face: Face) -> _Upright:
        matrix = similarity(_UPRIGHT, face.landmarks[:2])
        points = np.stack([face.landmarks[2], face.landmarks[3:].mean(axis=0)])
        nose, mouth = ((points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T).tolist()
        image = Image.fromarray(pixels_HWC)
        # Bilinear sampling reads four neighbours: shrink large faces first, or it would skip pixels.
        if (factor := int(np.hypot(matrix[0, 0], matrix[1, 0]))) >= 2:
            image, matrix = image.reduce(factor), matrix / factor
        coefficients = matrix.ravel().tolist()
        turned = image.transform(
            (_WIDTH, _HEIGHT), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
        )  # fmt: skip
        return cls(_linear(np.asarray(turned)), (nose[0], nose[1]), (mouth[0], mouth[1]))

    def colour(self, x: float, y: float, half_wide: float, half_high: float) -> Colours:
        """The median around a point, [3]; halves of the patch in distances of the eyes."""
        left, top = max(int(x - half_wide * _APART), 0), max(int(y - half_high * _APART), 0)
        right, bottom = int(x + half_wide * _APART) + 1, int(y + half_high * _APART) + 1
        patch = self.linear_HW3[min(top, _HEIGHT - 1) : max(bottom, 1), min(left, _WIDTH - 1) : max(right, 1)]
        return np.asarray(np.median(patch.reshape(-1, 3), axis=0))


def _glasses(lab_HW3: Colours) -> Trait:
    middle = _WIDTH / 2
    bridge = _bar(lab_HW3, middle, 0.08, (-0.18, 0.25), _BRIDGE_REACH)
    # Three strips below each eye: lids and wrinkles cross some, a rim crosses all.
    rim = min(
        _bar(lab_HW3, middle + (side / 2 + beside) * _APART, 0.05, (0.32, 0.6), _RIM_REACH)
        for side in (-1, 1)
        for beside in (-0.12, 0.0, 0.12)
    )
    if rim >= _RIM_FROM and bridge >= _BRIDGE_FROM:
        return Trait(True, rim)
    return Trait(False if rim < _RIM_BELOW and bridge < _BRIDGE_BELOW else None, rim)


def _bar(lab_HW3: Colours, x: float, half_wide: float, rows: tuple[float, float], reach: int) -> float:
    """How far the strongest horizontal bar in a strip is from what is above and below it, the nearer of both.

    Args:
        x, half_wide: the strip's middle column, and half its width in distances of the eyes.
        rows: between which the bar is looked for, below the eyes in their distances.
        reach: rows to what is above and below.
    """
    left, right = round(x - half_wide * _APART), round(x + half_wide * _APART)
    strip_H3 = lab_HW3[:, left : max(right, left + 1)].mean(axis=1)
    smooth_H3 = (strip_H3[:-2] + strip_H3[1:-1] + strip_H3[2:]) / 3  # row y is at y - 1
    at_P = np.arange(round(_EYE_ROW + rows[0] * _APART), round(_EYE_ROW + rows[1] * _APART)) - 1
    above_P3, below_P3 = (smooth_H3[at_P] - smooth_H3[at_P + step] for step in (-reach, reach))
    nearer_P = np.minimum(np.linalg.norm(above_P3, axis=1), np.linalg.norm(below_P3, axis=1))
    # An edge differs from one side alone, or from both in opposite directions.
    return float(np.where((above_P3 * below_P3).sum(axis=1) > 0, nearer_P, 0.0).max())


def _beard(face: _Upright) -> Trait:
    (nose_x, _), (x, y) = face.nose, face.mouth
    middle, down = _WIDTH / 2, y - _EYE_ROW
    skin = [
        face.colour(middle + side * _APART / 2 + (x - middle) / 2, _EYE_ROW + share * down, 0.08, 0.06)
        for side in (-1, 1)
        for share in (0.46, 0.56)
    ]
    skin.append(face.colour((middle + nose_x) / 2, _EYE_ROW + 0.45 * down, 0.05, 0.06))
    if np.hypot(*_lab(np.median(skin, axis=0))[1:]) < _LEAST_CHROMA:
        return _UNKNOWN
    chin = [face.colour(x, y + share * _APART, 0.1, 0.05) for share in (0.42, 0.5, 0.58)]
    chin += [face.colour(x + side * _APART, y + 0.4 * _APART, 0.06, 0.05) for side in (-0.22, 0.22)]
    in_shade = min(_from_nearest(patch, skin, same_shade=True) for patch in chin)
    if in_shade >= _BEARD_FROM:
        return Trait(True, in_shade)
    apart = max(_from_nearest(patch, skin, same_shade=False) for patch in chin)
    return Trait(False if in_shade < _BEARD_BELOW and apart < _CHIN_BELOW else None, in_shade)


def _from_nearest(patch_3: Colours, skin: Sequence[Colours], *, same_shade: bool) -> float:
    """How far a colour is from the nearest of some, which may be lit otherwise: `same_shade` makes it as bright."""

    def distance(other_3: Colours) -> float:
        ratio = (other_3 @ _LUMINANCE + _BLACK) / (patch_3 @ _LUMINANCE + _BLACK) if same_shade else 1.0
        return float(np.linalg.norm(_lab(patch_3 * ratio) - _lab(other_3)))

    return min(distance(each) for each in skin)


def _linear(pixels_HW3: Pixels) -> Colours:
    """sRGB to light, 0..1 (IEC 61966-2-1)."""
    share = pixels_HW3.astype(np.float64) / 255
    return np.asarray(np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4))


def _lab(linear_3: Colours) -> Colours:
    """Linear RGB to CIELAB under D65."""
    share = linear_3 @ _TO_XYZ.T / _WHITE
    x, y, z = np.moveaxis(np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
