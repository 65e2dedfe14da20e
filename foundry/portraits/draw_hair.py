"""Draws hair: a part behind the body, and a cap over the skull whose front edge is the hairline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foundry.portraits.canvas import Canvas, Linear, mixed, scaled
from foundry.portraits.figure import Figure
from foundry.portraits.outlines import FloatArray, ellipse, smooth


@dataclass(frozen=True, slots=True)
class _Cut:
    """A hair style's measures: side length and lift in head heights, swell in head widths, curls in design units."""

    sides: float
    lift: float
    swell: float
    behind: float  # how far the back falls below the middle, in head heights; 0: not seen
    spread: float  # the back's half width, in head widths
    curls: float
    sweep: float  # how far the crown leans to one side, in head widths


_CUTS = {
    "buzz": _Cut(-0.28, 0.05, 0.02, 0.0, 0.0, 0.0, 0.0),
    "short": _Cut(-0.05, 0.15, 0.06, 0.0, 0.0, 0.0, 0.1),
    "parted": _Cut(0.0, 0.22, 0.1, 0.0, 0.0, 0.0, 0.25),
    "quiff": _Cut(-0.2, 0.38, 0.04, 0.0, 0.0, 0.0, 0.3),
    "curly": _Cut(0.05, 0.34, 0.24, 0.35, 1.2, 2.6, 0.0),
    "bob": _Cut(0.42, 0.24, 0.18, 0.85, 1.28, 0.0, 0.1),
    "long": _Cut(0.5, 0.2, 0.12, 1.6, 1.2, 0.0, 0.1),
    "wavy": _Cut(0.5, 0.26, 0.22, 1.5, 1.42, 2.2, 0.15),
    "bun": _Cut(-0.02, 0.12, 0.03, 0.0, 0.0, 0.0, 0.0),
}


def draw_hair_behind(canvas: Canvas, figure: Figure) -> None:
    """What falls behind neck and shoulders; painted before the body."""
    identity = figure.identity
    cut = _CUTS[identity.hair_style]
    width, height = figure.half_width, figure.half_height
    if identity.hair_style == "bun":
        size = 8.5 + 4 * identity.hair_volume
        bun = ellipse(-figure.turn * 0.5, -height * 1.06 - size * 0.75, size * 1.15, size)
        canvas.fill(
            bun,
            Linear((-8, -height * 1.5), (8, -height), scaled(figure.hair, 1.2), scaled(figure.hair, 0.7)),
            solid=True,
        )
    if cut.behind == 0:
        return
    fall = height * cut.behind * (0.85 + 0.35 * identity.hair_length)
    spread = width * cut.spread * (0.95 + 0.15 * identity.hair_volume)
    sway = figure.scene.wind * 5
    outline = smooth(
        [
            (-spread, -height * 0.3),
            (-spread * 0.7, -height * 1.2),
            (spread * 0.7, -height * 1.2),
            (spread, -height * 0.3),
            (spread * 1.04 + sway, fall),
            (spread * 0.4 + sway, fall * 1.08),
            (-spread * 0.4 + sway, fall * 1.08),
            (-spread * 1.04 + sway, fall),
        ],
        steps=10,
    )
    shade = Linear((0, -height), (0, fall), scaled(figure.hair, 0.9), scaled(figure.hair, 0.62))
    canvas.fill(_curled(outline, cut.curls), shade, solid=True)


def draw_hair(canvas: Canvas, figure: Figure) -> None:
    """The cap and its fringe; painted after the face."""
    cut = _CUTS[figure.identity.hair_style]
    outer, inner = _cap(figure, cut)
    top = float(outer[:, 1].min())
    width = figure.half_width
    tone = Linear((-width, top), (width, 0), scaled(figure.hair, 1.22), scaled(figure.hair, 0.78))
    canvas.fill(np.concatenate([_curled(outer, cut.curls), inner]), tone, solid=True)
    shine = mixed(figure.hair, (255, 250, 240), 0.34)
    if cut.curls:
        for x, y in ((-0.6, 0.75), (-0.2, 0.95), (0.25, 0.92), (0.65, 0.72)):
            canvas.fill(ellipse(x * width, y * top, 4.2, 3.0), shine, 0.4, blur=1.0)
        return
    for height, strength in ((0.9, 0.55), (0.78, 0.3)):
        line = smooth(
            [(-width * 0.72, top * height + 7), (-width * 0.2, top * height), (width * 0.5, top * height + 3)], False
        )
        canvas.stroke(line, 2.6, shine, strength, taper=0.1, blur=0.7)


def _cap(figure: Figure, cut: _Cut) -> tuple[FloatArray, FloatArray]:
    """The outer edge, left ear to right ear over the top, and the hairline back again."""
    identity = figure.identity
    width, height = figure.half_width, figure.half_height
    volume = 0.6 + 0.8 * identity.hair_volume
    side = 1.03 + cut.swell * volume
    crown = -height * (1.04 + cut.lift * volume)
    lean = cut.sweep * width * (1.0 if identity.hair_part >= 0 else -1.0)
    ends = height * cut.sides
    outer = smooth(
        [
            (-width * side, ends),
            (-width * side, ends - height * 0.2),
            (-width * (side + 0.06), -height * 0.62),
            (-width * 0.78 + lean * 0.3, crown * 0.94),
            (lean * 0.7, crown * 1.04),
            (width * 0.78 + lean * 0.3, crown * 0.94),
            (width * (side + 0.06), -height * 0.62),
            (width * side, ends - height * 0.2),
            (width * side, ends),
        ],
        False,
        10,
    )
    return outer, _hairline(figure, ends)


def _hairline(figure: Figure, ends: float) -> FloatArray:
    identity = figure.identity
    width, height = figure.half_width, figure.half_height
    line = -height * (0.6 + 0.2 * identity.hairline) + figure.nod * 0.5
    if identity.hair_style in ("bob", "long", "wavy", "parted", "curly") and identity.fringe > 0.55:
        line += height * 0.16
    part = identity.hair_part * width * 0.4 + figure.turn * 0.6
    peak = line - height * (0.16 if identity.hair_style in ("parted", "long", "wavy", "bob") else 0.03)
    temple = 0.9 if ends < 0 else 0.84
    return smooth(
        [
            (width * 0.96, ends),
            (width * 0.93, min(ends, 0) - height * 0.12),
            (width * temple, line + height * 0.2),
            (part + width * 0.42, line),
            (part, peak),
            (part - width * 0.42, line),
            (-width * temple, line + height * 0.2),
            (-width * 0.93, min(ends, 0) - height * 0.12),
            (-width * 0.96, ends),
        ],
        False,
        8,
    )


def _curled(outline: FloatArray, curls: float) -> FloatArray:
    """Push the outline out in round bumps `curls` high."""
    if curls == 0:
        return outline
    lengths = np.linalg.norm(np.diff(outline, axis=0, prepend=outline[:1]), axis=1).cumsum()
    steps = np.linspace(0, lengths[-1], max(int(lengths[-1] / 1.2), 16))
    dense = np.stack([np.interp(steps, lengths, outline[:, axis]) for axis in (0, 1)], 1)
    tangent = np.gradient(dense, axis=0)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], 1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    bumps = np.abs(np.sin(steps * np.pi / (curls * 4.2)))[:, None] * curls
    return (dense + normal * bumps).astype(np.float32)
