"""Measures one face at a size that two pictures have in common: eyes, light, colour, sharpness, skin.

A face's *span* is the distance of the eyes in pixels, as the whole of its landmarks tells it, so that a turned head has
about the span of one seen from the front. Faces are brought down, never up, to spans of `SPANS`, because sharpness and
texture depend on the size; figures of one span can be compared. Shapes: H, W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from headshots.faces.base import Face, Pixels
from headshots.faces.geometry import CROP, TEMPLATE, similarity
from headshots.imaging import quality
from headshots.imaging.quality import Floats, Number

SPANS = (10, 14, 18, 24, 34, 48, 64)
"""Distances of the eyes in pixels that faces are measured at."""
# Parts of the face around its landmarks, in spans: half the width and half the height.
_EYE, _CHEEK = (0.22, 0.13), (0.17, 0.17)
# What is cut out, in spans: the face from the brows to the chin without most of the hair.
_FACE_WIDE, _FACE_UP, _FACE_DOWN = 0.95, 0.7, 1.6
_TEMPLATE_SPAN = float(TEMPLATE[1, 0] - TEMPLATE[0, 0])
# Weight of a change of the skin's colour that light makes.
_OF_LIGHT = 1 / 3
# sRGB to XYZ over the white point D65 (IEC 61966-2-1).
_TO_XYZ = np.array([(0.4339, 0.3762, 0.1899), (0.2126, 0.7152, 0.0722), (0.0177, 0.1095, 0.8728)])


@dataclass(frozen=True, slots=True)
class CloseUp:
    """What was measured of a face; all but the colour is 0 and more."""

    eye_contrast: float
    """Standard deviation of the luma from side to side over the eye that has less of it, over the cheeks' luma. An open
    eye is bright, dark and bright from side to side; lids and lashes are not."""
    light_imbalance: float
    """Difference of the cheeks' luma over their mean, 0 to 2."""
    left_a: float
    """CIELAB's a of the left cheek's median colour, about -100 to 100."""
    left_b: float
    """The same, b."""
    right_a: float
    """Of the right cheek, a."""
    right_b: float
    """The same, b."""
    sharpness: float
    """`quality.detail` of the face."""
    skin_texture: float
    """Median size of the Laplacian over the cheeks, over their luma."""

    def colour_distance(self, other: CloseUp) -> float:
        """How far the skin is from its colour in another close-up, in units of CIELAB's a and b.

        Light turns skin yellow or blue, as sunset and shade do, and neon adds red: such a change counts by a third. No
        light of a portrait takes red away, which is the blood's colour (Weatherall & Coombs 1992): skin that is greyer
        or greener counts in full. Of the two cheeks the nearer one, as coloured light may come from one side.
        """
        return min(
            _skin_distance(self.left_a - other.left_a, self.left_b - other.left_b),
            _skin_distance(self.right_a - other.right_a, self.right_b - other.right_b),
        )


def span_px(face: Face) -> float:
    """The span of a face in its picture."""
    matrix = similarity(TEMPLATE, face.landmarks)
    return _TEMPLATE_SPAN * float(np.hypot(matrix[0, 0], matrix[1, 0]))


def close_up(picture_HWC: Pixels, face: Face, span: int) -> CloseUp:
    """Measures a face at ``span``, which is at most its own."""
    small_HWC, landmarks_52 = _brought_down(picture_HWC, face, span)
    luma_HW = quality.luma(small_HWC)
    eyes, cheeks = landmarks_52[:2], (landmarks_52[:2] + landmarks_52[3:]) / 2
    cheek_lumas = [_around(luma_HW, point, _CHEEK, span) for point in cheeks]
    left, right = (float(np.median(patch)) for patch in cheek_lumas)
    mean = max((left + right) / 2, 1.0)
    contrasts = [float(_around(luma_HW, point, _EYE, span).std(axis=1).mean()) for point in eyes]
    fine_HW = np.abs(np.pad(quality.laplacian(luma_HW), 1))
    colours = [_lab_ab(np.median(_around(small_HWC, point, _CHEEK, span), axis=(0, 1))) for point in cheeks]
    return CloseUp(
        eye_contrast=min(contrasts) / mean,
        light_imbalance=abs(left - right) / mean,
        left_a=colours[0][0],
        left_b=colours[0][1],
        right_a=colours[1][0],
        right_b=colours[1][1],
        sharpness=quality.detail(_face(luma_HW, landmarks_52, span)),
        skin_texture=float(np.median([np.median(_around(fine_HW, point, _CHEEK, span)) for point in cheeks])) / mean,
    )


def _skin_distance(redder: float, yellower: float) -> float:
    return float(np.hypot(redder if redder < 0 else redder * _OF_LIGHT, yellower * _OF_LIGHT))


def _brought_down(picture_HWC: Pixels, face: Face, span: int) -> tuple[Pixels, Floats]:
    """A square around the face, scaled to the span; and the landmarks in it."""
    side = CROP / _TEMPLATE_SPAN * span_px(face)
    corner = face.landmarks.mean(axis=0) - side / 2
    # Where the square reaches beyond the picture, the picture's edge goes on.
    height, width = picture_HWC.shape[:2]
    out = int(np.ceil(max(-corner.min(), corner[0] + side - width, corner[1] + side - height, 0.0)))
    padded_HWC = np.pad(picture_HWC, ((out, out), (out, out), (0, 0)), mode="edge") if out else picture_HWC
    left, top = (corner + out).tolist()
    size = round(CROP / _TEMPLATE_SPAN * span)
    # Averages over areas, which a transform or a crop of whole pixels would not.
    small = Image.fromarray(padded_HWC).resize(
        (size, size),
        Image.Resampling.BILINEAR,
        (left, top, min(left + side, padded_HWC.shape[1]), min(top + side, padded_HWC.shape[0])),
    )
    return np.asarray(small), ((face.landmarks - corner) * (size / side)).astype(np.float32)


def _around(picture: npt.NDArray[Number], point: Floats, half: tuple[float, float], span: int) -> npt.NDArray[Number]:
    """The part of the picture around a point, at least one pixel."""
    x, y = float(point[0]), float(point[1])
    wide, high = half[0] * span, half[1] * span
    return quality.cut(picture, (x - wide, y - high, x + wide, y + high))


def _face(luma_HW: Floats, landmarks_52: Floats, span: int) -> Floats:
    x = float(landmarks_52[:, 0].mean())
    eyes_y = float(landmarks_52[:2, 1].mean())
    wide = _FACE_WIDE * span
    return quality.cut(luma_HW, (x - wide, eyes_y - _FACE_UP * span, x + wide, eyes_y + _FACE_DOWN * span))


def _lab_ab(srgb_3: npt.NDArray[np.floating]) -> tuple[float, float]:
    """CIELAB's a and b of an sRGB colour, 0 to 255 (CIE 15, white D65)."""
    share = np.asarray(srgb_3, np.float64) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = _TO_XYZ @ linear
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29).tolist()
    return 500 * (x - y), 200 * (y - z)
