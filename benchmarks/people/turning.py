"""Turns a head to the side as if it had been seen from there, and puts sunglasses on it: photos of either are missing.

The head is modelled on one photo that looks ahead: half an ellipsoid with a nose, whose sizes are those of a usual head
in distances of the eyes, coloured by the photo. What the photo does not show stays away. Imports numpy and Pillow.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from headshots.imaging.quality import Floats

# Half the width, height and depth of the ellipsoid; how far down its middle is; the nose's height, width and length.
_WIDE, _HIGH, _DEEP, _DOWN = 1.3, 2.2, 1.35, 0.15
_NOSE, _NOSE_WIDE, _NOSE_LONG = 0.38, 0.17, 0.28
_SIDE, _FINER = 5.2, 4
# Half the width of a glass, and its upper and lower edge, seen from the pupil.
_GLASS, _GLASS_UP, _GLASS_DOWN = 0.42, 0.28, 0.38


def turned(photo: Image.Image, landmarks_52: Floats, degrees: float) -> Image.Image:
    """The head before a plain wall, turned by so much to the picture's right (negative: left)."""
    apart = float(np.linalg.norm(landmarks_52[1] - landmarks_52[0]))
    middle = np.array([landmarks_52[:2, 0].mean(), (landmarks_52[:2, 1].mean() + landmarks_52[2, 1]) / 2])
    nose_x, nose_y = (landmarks_52[2] - middle) / apart
    step = 1 / (_FINER * apart)
    y, x = np.mgrid[-_HIGH : _HIGH + 0.4 : step, -_WIDE:_WIDE:step]
    inside = 1 - (x / _WIDE) ** 2 - ((y - _DOWN) / _HIGH) ** 2
    z = _DEEP * np.sqrt(inside.clip(0))
    z += _NOSE * np.exp(-(((x - nose_x) / _NOSE_WIDE) ** 2 + ((y - nose_y + 0.1) / _NOSE_LONG) ** 2) / 2)
    angle = np.deg2rad(degrees)
    across, depth = x * np.cos(angle) + z * np.sin(angle), z * np.cos(angle) - x * np.sin(angle)
    columns, rows = (np.rint(axis * apart + at).astype(int) for axis, at in zip((x, y), middle, strict=True))
    seen = (inside > 0) & (columns >= 0) & (columns < photo.width) & (rows >= 0) & (rows < photo.height)
    # From back to front: what is nearer covers what is behind it.
    order = np.argsort(depth[seen], kind="stable")
    side = round(_SIDE * apart)
    to_x, to_y = (np.rint(axis[seen][order] * apart + side / 2).astype(int).clip(0, side - 1) for axis in (across, y))
    wall = 150 + 50 * np.linspace(0, 1, side)[:, None, None] * np.ones((1, side, 3))
    wall[to_y, to_x] = np.asarray(photo)[rows[seen][order], columns[seen][order]]
    return Image.fromarray(wall.astype(np.uint8))


def in_sunglasses(photo: Image.Image, landmarks_52: Floats, grey: int = 30, share: float = 1.0) -> Image.Image:
    """The photo with glasses over the eyes. `grey`: their colour, 0 to 255; `share`: of it in what is seen through."""
    eyes = landmarks_52[:2]
    apart = float(np.linalg.norm(eyes[1] - eyes[0]))
    over = Image.new("L", photo.size)
    draw = ImageDraw.Draw(over)
    for x, y in eyes.tolist():
        edges = (x - _GLASS * apart, y - _GLASS_UP * apart, x + _GLASS * apart, y + _GLASS_DOWN * apart)
        draw.ellipse(edges, fill=round(255 * share))
    draw.line([tuple(eye) for eye in eyes.tolist()], fill=255, width=max(round(0.06 * apart), 1))
    plastic = Image.new("RGB", photo.size, (grey, grey, grey))
    return Image.composite(plastic, photo, over.filter(ImageFilter.GaussianBlur(0.02 * apart)))
