"""Draws neck, shoulders and clothes. Every outfit is a garment's cut and its colours; the table is `_OUTFITS`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foundry.portraits.canvas import Canvas, Colour, Linear, scaled
from foundry.portraits.figure import Figure
from foundry.portraits.outlines import FloatArray, ellipse, rectangle, smooth

WHITE: Colour = (242, 243, 246)


@dataclass(frozen=True, slots=True)
class _Outfit:
    """`cut` names a drawing function below; the colours mean what that function says."""

    cut: str
    main: Colour
    inner: Colour = WHITE
    accent: Colour | None = None


_OUTFITS = {
    "navy suit": _Outfit("jacket", (30, 44, 96), WHITE, (176, 28, 44)),
    "dark grey blazer": _Outfit("jacket", (78, 80, 88), (170, 200, 232)),
    "beige blazer": _Outfit("jacket", (214, 186, 144), (40, 38, 42)),
    "leather jacket": _Outfit("jacket", (40, 34, 34), (176, 176, 180), (206, 206, 210)),
    "denim jacket": _Outfit("jacket", (74, 118, 172), WHITE, (226, 160, 70)),
    "lab coat": _Outfit("jacket", (238, 242, 246), (36, 150, 150)),
    "white shirt": _Outfit("shirt", (240, 241, 244)),
    "red shirt": _Outfit("shirt", (190, 34, 44)),
    "striped shirt": _Outfit("stripes", (240, 240, 244), (34, 50, 110)),
    "black turtleneck": _Outfit("turtleneck", (34, 34, 40)),
    "green sweater": _Outfit("crew", (40, 116, 74)),
    "blue t-shirt": _Outfit("tee", (86, 166, 226)),
    "yellow cardigan": _Outfit("cardigan", (232, 184, 48), WHITE),
    "purple hoodie": _Outfit("hoodie", (122, 72, 168), WHITE),
}
_SHOULDERS = 38.0  # where the neck meets the shoulders, in design units below the middle of the head


def draw_body(canvas: Canvas, figure: Figure) -> None:
    """Clothes and neck; painted after the hair behind and before the head."""
    outfit = _OUTFITS[figure.scene.outfit]
    torso = _torso(figure)
    if outfit.cut == "hoodie":
        _draw_hood(canvas, figure, outfit)
    canvas.fill(torso, Linear((-40, 40), (44, 80), scaled(outfit.main, 1.1), scaled(outfit.main, 0.78)), solid=True)
    _draw_neck(canvas, figure)
    clip = canvas.mask(torso)
    if outfit.cut == "jacket":
        _draw_jacket(canvas, figure, outfit)
    elif outfit.cut in ("shirt", "stripes"):
        if outfit.cut == "stripes":
            for row in range(6):
                canvas.fill(rectangle(-70, 42 + row * 7.4, 140, 3.7), outfit.inner, clip=clip)
            _draw_neck(canvas, figure)
        _draw_shirt(canvas, figure, outfit)
    elif outfit.cut == "cardigan":
        _draw_cardigan(canvas, figure, outfit)
    elif outfit.cut == "turtleneck":
        _draw_turtleneck(canvas, figure, outfit)
    else:
        _draw_neckband(canvas, figure, outfit)


def _torso(figure: Figure) -> FloatArray:
    neck = figure.neck
    reach = 47.0 * figure.identity.shoulder_width
    right = [
        (neck * 0.6, _SHOULDERS - 6),
        (neck + 3, _SHOULDERS - 1),
        (reach * 0.7, _SHOULDERS + 6),
        (reach * 0.98, _SHOULDERS + 15),
        (reach * 1.12, 90),
    ]
    return smooth([*right, *[(-x, y) for x, y in reversed(right)]], steps=8)


def _draw_neck(canvas: Canvas, figure: Figure) -> None:
    neck = figure.neck
    outline = smooth(
        [
            (-neck, 10),
            (neck, 10),
            (neck, 26),
            (neck * 1.15, _SHOULDERS),
            (neck * 0.5, _SHOULDERS + 9),
            (-neck * 0.5, _SHOULDERS + 9),
            (-neck * 1.15, _SHOULDERS),
            (-neck, 26),
        ]
    )
    canvas.fill(outline, Linear((0, 24), (0, 44), scaled(figure.skin, 0.62), scaled(figure.skin, 0.94)), solid=True)


def _lower(figure: Figure, x: float, y: float) -> tuple[float, float]:
    """A point on the chest: x in neck widths, y in design units below the shoulder line."""
    return (figure.neck * x, _SHOULDERS + y)


def _draw_jacket(canvas: Canvas, figure: Figure, outfit: _Outfit) -> None:
    def at(x: float, y: float) -> tuple[float, float]:
        return _lower(figure, x, y)

    opening = [at(-1.2, -3), at(1.2, -3), at(0.55, 44), at(-0.55, 44)]
    canvas.fill(opening, outfit.inner)
    canvas.fill(smooth([at(-1.0, -6), at(1.0, -6), at(0.35, 8), at(-0.35, 8)]), scaled(figure.skin, 0.9))
    if outfit.inner == WHITE or outfit.accent is None:
        for side in (-1, 1):
            canvas.fill(
                [at(side * 1.18, -5), at(side * 0.95, 9), at(0.0, 8), at(side * 0.5, 5)], scaled(outfit.inner, 0.93)
            )
    if figure.scene.outfit == "navy suit":
        assert outfit.accent is not None
        canvas.fill([at(-0.32, 7), at(0.32, 7), at(0.26, 12), at(0.5, 44), at(-0.5, 44), at(-0.26, 12)], outfit.accent)
        canvas.fill([at(-0.3, 12), at(0.3, 12), at(0.26, 13.5), at(-0.26, 13.5)], scaled(outfit.accent, 0.6))
    for side in (-1, 1):
        lapel = [
            at(side * 1.2, -6),
            at(side * 1.75, 2),
            at(side * 2.15, 17),
            at(side * 1.7, 20),
            at(side * 1.8, 25),
            at(side * 0.3, 46),
            at(side * 0.75, 22),
        ]
        canvas.fill(lapel, scaled(outfit.main, 1.2 if side < 0 else 0.96))
        canvas.stroke([lapel[1], lapel[2], lapel[3], lapel[4], lapel[5]], 1.0, scaled(outfit.main, 0.55))
        if figure.scene.outfit in ("denim jacket", "leather jacket"):
            assert outfit.accent is not None
            canvas.stroke([at(side * 0.9, 10), at(side * 0.62, 44)], 1.5, outfit.accent)


def _draw_shirt(canvas: Canvas, figure: Figure, outfit: _Outfit) -> None:
    def at(x: float, y: float) -> tuple[float, float]:
        return _lower(figure, x, y)

    canvas.fill([at(-0.75, -4), at(0.75, -4), at(0.0, 12)], scaled(figure.skin, 0.9))
    shade = scaled(outfit.main, 0.6)
    for side in (-1, 1):
        collar = [at(side * 1.12, -8), at(side * 1.55, 1), at(side * 1.05, 14), at(0.02 * side, 10), at(side * 0.9, -2)]
        canvas.fill(collar, scaled(outfit.main, 1.06 if side < 0 else 0.9))
        canvas.stroke(collar[:4], 0.9, shade, 0.8)
    canvas.stroke([at(0, 11), at(0, 44)], 1.1, shade)
    for y in (19, 30):
        canvas.fill(ellipse(2.6, _SHOULDERS + y, 1.2, 1.2, 10), shade)


def _draw_cardigan(canvas: Canvas, figure: Figure, outfit: _Outfit) -> None:
    def at(x: float, y: float) -> tuple[float, float]:
        return _lower(figure, x, y)

    canvas.fill([at(-1.2, -3), at(1.2, -3), at(0.9, 10), at(0.0, 34), at(-0.9, 10)], outfit.inner)
    canvas.fill(ellipse(0, _SHOULDERS + 1, figure.neck * 0.95, 7.5), scaled(figure.skin, 0.92))
    for side in (-1, 1):
        edge = [at(side * 1.25, -5), at(side * 1.1, 10), at(0.0, 35)]
        canvas.stroke(edge, 4.2, scaled(outfit.main, 0.82))
    canvas.stroke([at(0, 35), at(0, 50)], 4.2, scaled(outfit.main, 0.82))


def _draw_turtleneck(canvas: Canvas, figure: Figure, outfit: _Outfit) -> None:
    neck = figure.neck
    collar = smooth(
        [
            (-neck * 1.12, 26),
            (0, 29),
            (neck * 1.12, 26),
            (neck * 1.4, _SHOULDERS + 4),
            (0, _SHOULDERS + 10),
            (-neck * 1.4, _SHOULDERS + 4),
        ],
        steps=8,
    )
    canvas.fill(
        collar, Linear((-neck, 30), (neck, 40), scaled(outfit.main, 1.7), scaled(outfit.main, 0.95)), solid=True
    )
    fold = smooth([(-neck * 1.15, 35), (0, 38), (neck * 1.15, 35)], False)
    canvas.stroke(fold, 1.0, scaled(outfit.main, 0.5))


def _draw_neckband(canvas: Canvas, figure: Figure, outfit: _Outfit) -> None:
    """T-shirt, sweater and hoodie: a round neck with a band; sweaters have a broad one, hoodies have strings."""
    width = {"tee": 2.2, "crew": 4.6, "hoodie": 3.4}[outfit.cut]
    neck = figure.neck
    deep = 10.0 if outfit.cut == "tee" else 7.0
    angle = np.linspace(-0.12 * np.pi, 1.12 * np.pi, 24)
    band = np.stack([np.cos(angle) * neck * 1.2, np.sin(angle) * deep + _SHOULDERS], 1).astype(np.float32)
    canvas.stroke(band, width, scaled(outfit.main, 0.72))
    if outfit.cut == "hoodie":
        for side in (-1, 1):
            canvas.stroke([(side * 6, _SHOULDERS + 9), (side * 7, _SHOULDERS + 26)], 1.7, outfit.inner)


def _draw_hood(canvas: Canvas, figure: Figure, outfit: _Outfit) -> None:
    wide = figure.neck * 2.3
    hood = smooth(
        [(-wide, 34), (-wide * 0.8, 18), (wide * 0.8, 18), (wide, 34), (wide * 0.8, 50), (-wide * 0.8, 50)], steps=8
    )
    canvas.fill(hood, scaled(outfit.main, 0.66), solid=True)
