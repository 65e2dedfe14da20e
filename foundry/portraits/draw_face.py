"""Draws the head: ears, skin with its marks, beard; and on it the features and glasses."""

from __future__ import annotations

import numpy as np

from foundry.portraits.canvas import Canvas, Radial, mixed, scaled
from foundry.portraits.draw_features import draw_features
from foundry.portraits.draw_glasses import draw_glasses
from foundry.portraits.figure import Figure, head_outline
from foundry.portraits.outlines import FloatArray, ellipse, smooth


def draw_head(canvas: Canvas, figure: Figure) -> None:
    """Everything between the neck and the hair's front."""
    _draw_ears(canvas, figure)
    outline = head_outline(figure)
    height = figure.half_height
    glow = Radial(
        (figure.turn * 0.8, -height * 0.15), height * 1.3, scaled(figure.skin, 1.06), scaled(figure.skin, 0.74)
    )
    canvas.fill(outline, glow, solid=True)
    clip = canvas.mask(outline)
    _draw_skin(canvas, figure, clip)
    if figure.identity.beard != "none":
        _draw_beard(canvas, figure, clip)
    draw_features(canvas, figure)
    if figure.identity.glasses != "none":
        draw_glasses(canvas, figure)


def _draw_ears(canvas: Canvas, figure: Figure) -> None:
    size = figure.identity.ear_size
    reach = 1.5 + 2.0 * figure.identity.ear_angle
    for side in (-1, 1):
        x = side * (figure.half_width * 1.0 + reach * 0.5) - figure.turn * 0.45
        canvas.fill(ellipse(x, 1.5, 4.2 * size, 7.6 * size), scaled(figure.skin, 0.88), solid=True)
        canvas.fill(ellipse(x + side * 0.4, 1.5, 2.0 * size, 4.6 * size), scaled(figure.skin, 0.7), blur=0.5)


def _draw_skin(canvas: Canvas, figure: Figure, clip: FloatArray) -> None:
    identity = figure.identity
    width, height = figure.half_width, figure.half_height
    flush = mixed(figure.skin, (222, 84, 84), 0.45)
    for side in (-1, 1):
        cheek = ellipse(side * width * 0.58 + figure.turn, height * 0.3 + figure.nod, width * 0.24, width * 0.2)
        canvas.fill(cheek, flush, 0.55 * identity.cheek_colour, blur=2.2, clip=clip)
    canvas.fill(
        ellipse(figure.turn * 0.4, figure.chin - 3, 6, 3.4), scaled(figure.skin, 1.08), 0.6, blur=1.6, clip=clip
    )
    if identity.freckles:
        for x, y in _freckle_places():
            spot = ellipse(x * width * 0.55 + figure.turn, height * 0.18 + y * 3.4 + figure.nod, 0.75, 0.75, 8)
            canvas.fill(spot, mixed(figure.skin, (130, 60, 24), 0.55), identity.freckles, clip=clip)
    if identity.mole is not None:
        x, y = identity.mole[0] * width + figure.turn, identity.mole[1] * height + figure.nod
        canvas.fill(ellipse(x, y, 1.25, 1.25, 10), scaled(figure.skin, 0.32), clip=clip)
    if identity.lines > 0.15:
        _draw_lines(canvas, figure)


def _freckle_places() -> list[tuple[float, float]]:
    """Fixed places, in standard deviations: freckles are a trait, not an accident of one picture."""
    places = np.random.default_rng(0xF2EC).uniform(-1.1, 1.1, (22, 2))
    return [(float(x), float(y)) for x, y in places]


def _draw_lines(canvas: Canvas, figure: Figure) -> None:
    shade = scaled(figure.skin, 0.66)
    strength = 0.65 * figure.identity.lines
    width, height = figure.half_width, figure.half_height
    for side in (-1, 1):
        x = figure.turn + side * width * 0.3
        fold = smooth(
            [(x, height * 0.3 + figure.nod), (x + side * 4.0, height * 0.42), (x + side * 3.6, height * 0.6)], False
        )
        canvas.stroke(fold, 1.1, shade, strength, taper=0.3)
        eye = figure.eye_x(side)
        bag = smooth(
            [(eye - 5, figure.eye_line + 5.2), (eye, figure.eye_line + 7.2), (eye + 5, figure.eye_line + 5.2)], False
        )
        canvas.stroke(bag, 0.9, shade, strength * 0.8, taper=0.2)
    for row in (0.52, 0.62):
        y = -height * row + figure.nod
        brow = smooth([(figure.turn - 11, y + 0.8), (figure.turn, y - 0.8), (figure.turn + 11, y + 0.8)], False)
        canvas.stroke(brow, 0.9, shade, strength * 0.8, taper=0.2)


def _draw_beard(canvas: Canvas, figure: Figure, clip: FloatArray) -> None:
    identity = figure.identity
    width, height = figure.half_width, figure.half_height
    colour = scaled(figure.hair, 0.88)
    turn, mouth = figure.turn, figure.mouth_line
    if identity.beard == "full":
        shape = smooth(
            [
                (-width * 1.2, height * 0.02),
                (-width * 0.8 + turn * 0.5, height * 0.3),
                (-width * 0.42 + turn, mouth - 5.5),
                (turn, mouth - 3.5),
                (width * 0.42 + turn, mouth - 5.5),
                (width * 0.8 + turn * 0.5, height * 0.3),
                (width * 1.2, height * 0.02),
                (width * 1.2, height * 1.3),
                (-width * 1.2, height * 1.3),
            ]
        )
    else:
        shape = smooth(
            [
                (-width * 0.4 + turn, mouth - 4),
                (turn, mouth + 2),
                (width * 0.4 + turn, mouth - 4),
                (width * 0.42 + turn * 0.6, height * 1.2),
                (-width * 0.42 + turn * 0.6, height * 1.2),
            ]
        )
    canvas.fill(shape, colour, identity.beard_density, blur=0.7, clip=clip)
    if identity.moustache:
        y = mouth - 4.2
        moustache = smooth(
            [(turn - 9, y + 3), (turn - 4, y - 1.6), (turn, y - 0.4), (turn + 4, y - 1.6), (turn + 9, y + 3)], False
        )
        canvas.stroke(moustache, 3.4, colour, identity.beard_density, taper=0.4, clip=clip)
