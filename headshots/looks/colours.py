"""Converts sRGB to CIELAB, and tells how far apart two colours look: CIEDE2000.

Formulas after CIE 15 (white D65), and Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula", 2005, whose names
of the steps are kept.
"""

from __future__ import annotations

from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt

import numpy as np
import numpy.typing as npt

Lab = tuple[float, float, float]
# sRGB to XYZ over the white point D65 (IEC 61966-2-1).
_TO_XYZ = np.array([(0.4339, 0.3762, 0.1899), (0.2126, 0.7152, 0.0722), (0.0177, 0.1095, 0.8728)])


def to_lab(srgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """L 0 to 100, a and b about -100 to 100; [..., 3] of uint8 [..., 3]."""
    share = srgb.astype(np.float64) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def delta_e(one: Lab, other: Lab) -> float:
    """CIEDE2000: about 1 is the least that people see."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    c_mean = (hypot(a1, b1) + hypot(a2, b2)) / 2
    g = (1 - _saturation(c_mean)) / 2
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = hypot(a1, b1), hypot(a2, b2)
    h1, h2 = _hue(a1, b1), _hue(a2, b2)
    turn = h2 - h1
    if c1 * c2 == 0:
        turn = 0.0
    elif abs(turn) > 180:
        turn -= 360 if turn > 0 else -360
    d_l, d_c, d_h = l2 - l1, c2 - c1, 2 * sqrt(c1 * c2) * sin(radians(turn / 2))
    c_mean = (c1 + c2) / 2
    s_l, s_c, s_h, r_t = _weights((l1 + l2) / 2, c_mean, _mean_hue(h1, h2, is_grey=c1 * c2 == 0))
    l_part, c_part, h_part = d_l / s_l, d_c / s_c, d_h / s_h
    return sqrt(max(l_part**2 + c_part**2 + h_part**2 + r_t * c_part * h_part, 0.0))


def _weights(l_mean: float, c_mean: float, h_mean: float) -> tuple[float, float, float, float]:
    """S_L, S_C, S_H and R_T."""
    t = (
        1
        - 0.17 * cos(radians(h_mean - 30))
        + 0.24 * cos(radians(2 * h_mean))
        + 0.32 * cos(radians(3 * h_mean + 6))
        - 0.20 * cos(radians(4 * h_mean - 63))
    )
    s_l = 1 + 0.015 * (l_mean - 50) ** 2 / sqrt(20 + (l_mean - 50) ** 2)
    turn = 30 * exp(-(((h_mean - 275) / 25) ** 2))
    r_t = -sin(radians(2 * turn)) * 2 * _saturation(c_mean)
    return s_l, 1 + 0.045 * c_mean, 1 + 0.015 * c_mean * t, r_t


def _saturation(c: float) -> float:
    return sqrt(c**7 / (c**7 + 25.0**7))


def _hue(a: float, b: float) -> float:
    return degrees(atan2(b, a)) % 360 if a or b else 0.0


def _mean_hue(h1: float, h2: float, *, is_grey: bool) -> float:
    if is_grey:
        return h1 + h2
    if abs(h1 - h2) <= 180:
        return (h1 + h2) / 2
    return (h1 + h2 + (360 if h1 + h2 < 360 else -360)) / 2
