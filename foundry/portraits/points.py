"""Tells where the parts of a drawn face are: POINTS, from the formulas that draw them.

Left and right are the picture's. Hair, glasses or a beard may cover a point; it is told where it would show.
"""

from __future__ import annotations

import numpy as np

from foundry.portraits.canvas import Canvas
from foundry.portraits.figure import Figure, figure_of
from foundry.portraits.identity import Identity
from foundry.portraits.outlines import FloatArray
from foundry.portraits.render import HEAD_X, HEAD_Y
from foundry.portraits.scene import Scene

POINTS = (
    *(f"{side} eye {part}" for side in ("left", "right") for part in ("left", "right", "top", "bottom", "pupil")),
    *(f"{side} brow {part}" for side in ("left", "right") for part in ("inner", "middle", "outer")),
    *(f"nose {part}" for part in ("left", "tip", "right")),
    *(f"mouth {part}" for part in ("left", "right", "top", "bottom")),
    "chin",
)
# Where on their outlines these points are: six places a control point, as `outlines.smooth` makes them.
_EYE_PLACES = [3, 21, 12, 27]
_BROW_PLACES = [0, 12, -1]
_NOSE_PLACES = [0, 15, -1]
_LIP_PLACES = [6, 30, 45, 18]


def face_points(identity: Identity, scene: Scene, size: int = 128) -> FloatArray:
    """[P, 2], x and y of POINTS in pixels of a picture of `size` pixels a side, without drawing."""
    canvas = Canvas(size)
    with (
        canvas.moved(HEAD_X + scene.dx, HEAD_Y + scene.dy, scene.zoom),
        canvas.moved(0, 0, degrees=scene.roll),
    ):
        return canvas.to_pixels(points_of(figure_of(identity, scene)))


def points_of(figure: Figure) -> FloatArray:
    """[P, 2] in design units from the middle of the head, before its roll."""
    parts = [_eye(figure, side) for side in (-1, 1)]
    parts += [figure.brow_line(side)[_BROW_PLACES] for side in (-1, 1)]
    parts += [figure.nose_base()[_NOSE_PLACES], figure.lips()[_LIP_PLACES]]
    parts.append(np.array([figure.chin_point], np.float32))
    return np.concatenate(parts).astype(np.float32)


def _eye(figure: Figure, side: int) -> FloatArray:
    """Left, right, top and bottom of the opening, and the pupil, in the head's frame: [5, 2]."""
    local = np.concatenate([figure.eye_opening()[_EYE_PLACES], np.array([figure.pupil], np.float32)])
    angle = np.radians(figure.eye_tilt(side))
    turned = local @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(turned + np.array([figure.eye_x(side), figure.eye_line]), np.float32)
