"""Draws glasses: round or rectangular frames, arms and a bridge."""

from __future__ import annotations

import numpy as np

from foundry.portraits.canvas import Canvas, Colour
from foundry.portraits.figure import Figure
from foundry.portraits.outlines import ellipse, rectangle, smooth

_FRAMES: tuple[Colour, ...] = ((24, 24, 28), (132, 66, 28), (150, 26, 36))


def draw_glasses(canvas: Canvas, figure: Figure) -> None:
    """Over the features, in the colour that the person wears."""
    identity = figure.identity
    colour = _FRAMES[identity.glasses_colour]
    y = figure.eye_line + 0.6
    rx, ry = (8.8, 8.2) if identity.glasses == "round" else (9.6, 7.0)
    spread = 1.0 if identity.glasses == "round" else 0.0
    for side in (-1, 1):
        x = figure.eye_x(side) + side * 0.6
        if spread:
            frame = ellipse(x, y, rx, ry, 33)
        else:
            box = rectangle(x - rx, y - ry, rx * 2, ry * 2)
            middles = (box + np.roll(box, -1, 0)) / 2
            frame = smooth(np.stack([box, middles], 1).reshape(-1, 2))
        canvas.fill(frame, (235, 244, 255), 0.14)
        canvas.stroke(np.concatenate([frame, frame[:2]]), 1.9, colour)
        arm = [(x + side * rx, y - 2), (side * figure.half_width * 1.02 - figure.turn * 0.3, y - 3)]
        canvas.stroke(arm, 1.6, colour)
    inner = [figure.eye_x(-1) - 0.6 + rx, figure.eye_x(1) + 0.6 - rx]
    canvas.stroke(smooth([(inner[0], y - 1), (sum(inner) / 2, y - 3), (inner[1], y - 1)], False), 1.7, colour)
