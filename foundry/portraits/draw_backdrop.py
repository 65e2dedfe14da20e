"""Draws the thirteen places behind a person: large plain shapes, out of focus where a lens would be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from foundry.portraits.canvas import Canvas, Colour, Linear, Radial, scaled
from foundry.portraits.outlines import ellipse, rectangle


def draw_backdrop(canvas: Canvas, name: str, rng: np.random.Generator) -> None:
    """Fill the whole frame (design units 0..128)."""
    _BACKDROPS[name](canvas, rng)


def _plain(inner: Colour, outer: Colour) -> Callable[[Canvas, np.random.Generator], None]:
    def draw(canvas: Canvas, rng: np.random.Generator) -> None:
        canvas.flood(Radial((64, 50), 96, inner, outer))

    return draw


def _office(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.flood(Linear((0, 0), (0, 128), (222, 230, 236), (176, 184, 190)))
    shift = rng.uniform(-6, 6)
    for x in (-16, 24, 84, 124):
        canvas.fill(rectangle(x + shift, 6, 32, 56), (252, 254, 255))
        canvas.fill(rectangle(x + shift, 40, 32, 22), (176, 214, 240))
    canvas.fill(rectangle(-4, 78, 140, 8), (150, 108, 70))
    for x in (8, 112):
        canvas.fill(ellipse(x + shift, 70, 9, 12), (74, 150, 92))
    canvas.soften(1.4)


def _park(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.flood(Linear((0, 0), (0, 128), (168, 216, 244), (110, 176, 76)))
    for x in range(-4, 140, 11):
        shade = rng.uniform(0.8, 1.2)
        canvas.fill(ellipse(x, rng.uniform(34, 58), 13, 15), scaled((66, 146, 58), shade))
    canvas.fill(rectangle(-2, 74, 132, 60), (126, 190, 84))
    canvas.soften(2.0)


def _night(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.flood(Linear((0, 0), (0, 128), (16, 18, 48), (44, 34, 74)))
    lamps: tuple[Colour, ...] = ((255, 196, 96), (255, 96, 90), (110, 180, 255), (255, 240, 190))
    for column in range(7):
        for row in range(5):
            x, y = column * 21 + rng.uniform(-5, 5), 8 + row * 22 + rng.uniform(-6, 6)
            canvas.fill(ellipse(x, y, 4.2, 4.2, 14), lamps[int(rng.integers(4))], 0.9)
    canvas.soften(0.8)


def _library(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.flood((84, 54, 34))
    books: tuple[Colour, ...] = ((168, 52, 44), (52, 88, 120), (196, 150, 70), (72, 110, 72), (120, 70, 96))
    for shelf in range(4):
        for place in range(14):
            x = place * 9.6 - 3
            canvas.fill(rectangle(x, 4 + shelf * 34, 8.4, 26), books[int(rng.integers(5))])
    canvas.soften(0.9)


def _bricks(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.flood((206, 186, 170))
    for row in range(9):
        for column in range(6):
            x = column * 28 - (row % 2) * 14 - 8
            shade = rng.uniform(0.9, 1.08)
            canvas.fill(rectangle(x, row * 15, 26, 13), scaled((180, 84, 62), shade))


def _beach(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.flood(Linear((0, 0), (0, 60), (120, 198, 246), (206, 236, 250)))
    canvas.fill(rectangle(-2, 54, 132, 26), Linear((0, 54), (0, 80), (30, 128, 176), (70, 184, 196)))
    canvas.fill(rectangle(-2, 78, 132, 60), (240, 216, 160))
    canvas.fill(rectangle(-2, 76, 132, 4), (248, 250, 250))
    canvas.soften(1.2)


def _mountains(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.flood(Linear((0, 0), (0, 90), (96, 150, 214), (196, 222, 244)))
    shift = rng.uniform(-8, 8)
    for x, y, wide in ((6, 24, 50), (122, 18, 54)):
        top = (x + shift, y)
        canvas.fill([top, (x + shift + wide, 100), (x + shift - wide, 100)], (98, 112, 140))
        canvas.fill(
            [top, (x + shift + wide * 0.42, y + 32), (x + shift, y + 25), (x + shift - wide * 0.42, y + 32)],
            (250, 252, 255),
        )
    canvas.fill(rectangle(-2, 86, 132, 50), (236, 242, 250))
    canvas.soften(0.9)


def _curtain(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.flood((150, 20, 30))
    for fold in range(8):
        x = fold * 17 - 4
        canvas.fill(rectangle(x, -2, 9, 132), (204, 40, 48), blur=2.2)


def _wood(canvas: Canvas, rng: np.random.Generator) -> None:
    for plank in range(7):
        shade = rng.uniform(0.88, 1.1)
        canvas.fill(rectangle(-2, plank * 19, 132, 18), scaled((190, 136, 82), shade))
        canvas.fill(rectangle(-2, plank * 19 + 17.4, 132, 1.8), (104, 68, 38))


_BACKDROPS: dict[str, Callable[[Canvas, np.random.Generator], None]] = {
    "plain white studio": _plain((252, 252, 252), (222, 224, 228)),
    "plain grey studio": _plain((164, 166, 170), (104, 106, 112)),
    "black studio": _plain((44, 44, 48), (10, 10, 12)),
    "blue studio": _plain((74, 130, 206), (26, 54, 120)),
    "bright office": _office,
    "leafy park": _park,
    "city at night": _night,
    "library": _library,
    "brick wall": _bricks,
    "sandy beach": _beach,
    "snowy mountains": _mountains,
    "red curtain": _curtain,
    "wooden wall": _wood,
}
