"""Draws the features of a face: nose, mouth, eyes and brows."""

from __future__ import annotations

from foundry.portraits.canvas import Canvas, Colour, Linear, mixed, scaled
from foundry.portraits.figure import Figure
from foundry.portraits.outlines import ellipse, smooth

_IRIS: dict[str, Colour] = {
    "brown": (98, 58, 28),
    "blue": (58, 122, 196),
    "green": (66, 138, 76),
    "grey": (122, 134, 146),
}


def draw_features(canvas: Canvas, figure: Figure) -> None:
    """All of them, on the skin that is there."""
    _draw_nose(canvas, figure)
    _draw_mouth(canvas, figure)
    for side in (-1, 1):
        _draw_eye(canvas, figure, side)
        _draw_brow(canvas, figure, side)


def _draw_eye(canvas: Canvas, figure: Figure, side: int) -> None:
    identity = figure.identity
    half, tall = figure.eye_halves
    with canvas.moved(figure.eye_x(side), figure.eye_line, degrees=figure.eye_tilt(side)):
        canvas.fill(ellipse(0, -0.6, half + 1.8, tall + 1.8), scaled(figure.skin, 0.72), 0.6, blur=1.0)
        opening = figure.eye_opening()
        canvas.fill(opening, (246, 244, 242))
        clip = canvas.mask(opening)
        look, middle = figure.pupil
        iris = min(tall * 1.02, half * 0.62)
        canvas.fill(ellipse(look, middle, iris, iris), _IRIS[identity.eye_colour], clip=clip)
        canvas.fill(ellipse(look, middle, iris * 0.5, iris * 0.5), (16, 12, 14), clip=clip)
        canvas.fill(ellipse(look - 1.0, -1.5, 0.95, 0.95, 10), (255, 255, 255))
        lid = smooth([(-half, 0.2), (-half * 0.5, -tall * 1.3), (half * 0.5, -tall * 1.3), (half, 0.2)], False)
        lash = 1.2 if identity.class_noun == "man" else 2.0
        canvas.stroke(lid, lash, (26, 18, 18), taper=0.6)


def _draw_brow(canvas: Canvas, figure: Figure, side: int) -> None:
    colour = mixed(scaled(figure.hair, 0.72), (60, 44, 36), 0.25)
    canvas.stroke(figure.brow_line(side), 2.3 * figure.identity.brow_thickness, colour, 0.95, taper=0.45)


def _draw_nose(canvas: Canvas, figure: Figure) -> None:
    identity = figure.identity
    x, y = figure.nose_tip
    wide = figure.nose_half
    shade = scaled(figure.skin, 0.62)
    lit = 1.0 if figure.turn <= 0 else -1.0
    bridge = smooth(
        [(figure.turn - lit * 2.2, figure.eye_line + 1), (x - lit * 2.4, y - 6), (x - lit * wide * 0.9, y)], False
    )
    canvas.stroke(bridge, 1.4, shade, 0.35 + 0.4 * identity.nose_bridge, taper=0.3, blur=0.3)
    highlight = smooth([(figure.turn + lit * 0.4, figure.eye_line + 2), (x + lit * 0.4, y - 1.5)], False)
    canvas.stroke(highlight, 2.6, scaled(figure.skin, 1.16), 0.6, blur=0.8)
    canvas.stroke(figure.nose_base(), 1.3, shade, 0.9, taper=0.5)
    for side in (-1, 1):
        canvas.fill(ellipse(x + side * wide * 0.48, y + 1.0, 1.15, 0.8, 10), scaled(figure.skin, 0.36), 0.9)


def _draw_mouth(canvas: Canvas, figure: Figure) -> None:
    identity, scene = figure.identity, figure.scene
    smile = scene.smile
    x, y, wide = figure.mouth_x, figure.mouth_line, figure.mouth_half
    lift = 3.4 * smile
    full = 2.3 * identity.lip_fullness
    natural = scaled(mixed(figure.skin, (176, 62, 66), 0.5), 0.94)
    colour = mixed(natural, (196, 24, 48), 0.75 * identity.lip_redness)
    corners = figure.mouth_corners
    canvas.fill(figure.lips(), Linear((x, y - full), (x, y + full + lift), scaled(colour, 0.9), scaled(colour, 1.08)))
    if smile > 0.5:
        teeth = smooth(
            [
                (x - wide * 0.84, y - lift * 0.4),
                (x - wide * 0.4, y + lift * 0.75),
                (x + wide * 0.4, y + lift * 0.75),
                (x + wide * 0.84, y - lift * 0.4),
                (x, y - full * 0.2),
            ]
        )
        canvas.fill(teeth, (248, 246, 242))
    line = smooth([corners[0], (x - wide * 0.4, y + lift * 0.35), (x + wide * 0.4, y + lift * 0.35), corners[1]], False)
    if smile <= 0.5:
        canvas.stroke(line, 1.2, scaled(colour, 0.5), taper=0.5)
