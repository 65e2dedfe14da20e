"""The head: ears, skin, eyes, brows, nose, mouth, beard, glasses and small marks."""

from __future__ import annotations

import numpy as np

from foundry.portraits.canvas import (
    Canvas,
    Colour,
    FloatArray,
    Linear,
    Radial,
    ellipse,
    mixed,
    rectangle,
    scaled,
    smooth,
)
from foundry.portraits.figure import Figure, head_outline

_IRIS: dict[str, Colour] = {
    "brown": (98, 58, 28),
    "blue": (58, 122, 196),
    "green": (66, 138, 76),
    "grey": (122, 134, 146),
}
_FRAMES: tuple[Colour, ...] = ((24, 24, 28), (132, 66, 28), (150, 26, 36))


def draw_head(canvas: Canvas, figure: Figure) -> None:
    """Everything between the neck and the hair's front."""
    _draw_ears(canvas, figure)
    outline = head_outline(figure)
    width, height = figure.half_width, figure.half_height
    glow = Radial(
        (figure.turn * 0.8, -height * 0.15), height * 1.3, scaled(figure.skin, 1.06), scaled(figure.skin, 0.74)
    )
    canvas.fill(outline, glow, solid=True)
    clip = canvas.mask(outline)
    _draw_skin(canvas, figure, clip)
    if figure.identity.beard != "none":
        _draw_beard(canvas, figure, clip)
    _draw_nose(canvas, figure)
    _draw_mouth(canvas, figure)
    for side in (-1, 1):
        _draw_eye(canvas, figure, side, width)
        _draw_brow(canvas, figure, side)
    if figure.identity.glasses != "none":
        _draw_glasses(canvas, figure)


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


def _draw_eye(canvas: Canvas, figure: Figure, side: int, width: float) -> None:
    identity, scene = figure.identity, figure.scene
    narrow = 1.0 - 0.006 * abs(scene.yaw)
    half = 6.3 * identity.eye_size * narrow * width / 24
    tall = 3.7 * identity.eye_size * identity.eye_openness * (1 - 0.16 * max(scene.smile, 0))
    with canvas.moved(figure.eye_x(side), figure.eye_line, degrees=-identity.eye_tilt * side):
        canvas.fill(ellipse(0, -0.6, half + 1.8, tall + 1.8), scaled(figure.skin, 0.72), 0.6, blur=1.0)
        opening = smooth(
            [(-half - 1, 0.4), (-half * 0.5, -tall * 1.5), (half * 0.5, -tall * 1.5), (half + 1, 0.4), (0, tall * 1.5)]
        )
        canvas.fill(opening, (246, 244, 242))
        clip = canvas.mask(opening)
        look = scene.gaze * 2.2 + figure.turn * 0.1
        iris = min(tall * 1.02, half * 0.62)
        canvas.fill(ellipse(look, -0.4, iris, iris), _IRIS[identity.eye_colour], clip=clip)
        canvas.fill(ellipse(look, -0.4, iris * 0.5, iris * 0.5), (16, 12, 14), clip=clip)
        canvas.fill(ellipse(look - 1.0, -1.5, 0.95, 0.95, 10), (255, 255, 255))
        lid = smooth([(-half, 0.2), (-half * 0.5, -tall * 1.3), (half * 0.5, -tall * 1.3), (half, 0.2)], False)
        lash = 1.2 if identity.class_noun == "man" else 2.0
        canvas.stroke(lid, lash, (26, 18, 18), taper=0.6)


def _draw_brow(canvas: Canvas, figure: Figure, side: int) -> None:
    identity = figure.identity
    x = figure.eye_x(side)
    y = figure.eye_line - 8.6 * identity.brow_height * identity.eye_size - 0.7 * max(figure.scene.smile, 0)
    tilt = identity.brow_tilt * 1.4
    arch = 1.0 + 2.0 * identity.brow_arch
    line = smooth(
        [
            (x - side * 7.2, y + 1 + tilt),
            (x - side * 1, y - arch * 0.6 + tilt * 0.4),
            (x + side * 3, y - arch),
            (x + side * 8, y + 1.4 - tilt),
        ],
        False,
    )
    colour = mixed(scaled(figure.hair, 0.72), (60, 44, 36), 0.25)
    canvas.stroke(line, 2.3 * identity.brow_thickness, colour, 0.95, taper=0.45)


def _draw_nose(canvas: Canvas, figure: Figure) -> None:
    identity = figure.identity
    x, y = figure.nose_tip
    wide = 4.9 * identity.nose_width
    shade = scaled(figure.skin, 0.62)
    lit = 1.0 if figure.turn <= 0 else -1.0
    bridge = smooth(
        [(figure.turn - lit * 2.2, figure.eye_line + 1), (x - lit * 2.4, y - 6), (x - lit * wide * 0.9, y)], False
    )
    canvas.stroke(bridge, 1.4, shade, 0.35 + 0.4 * identity.nose_bridge, taper=0.3, blur=0.3)
    highlight = smooth([(figure.turn + lit * 0.4, figure.eye_line + 2), (x + lit * 0.4, y - 1.5)], False)
    canvas.stroke(highlight, 2.6, scaled(figure.skin, 1.16), 0.6, blur=0.8)
    base = smooth(
        [(x - wide, y - 1.6), (x - wide * 0.9, y + 1.6), (x, y + 2.6), (x + wide * 0.9, y + 1.6), (x + wide, y - 1.6)],
        False,
    )
    canvas.stroke(base, 1.3, shade, 0.9, taper=0.5)
    for side in (-1, 1):
        canvas.fill(ellipse(x + side * wide * 0.48, y + 1.0, 1.15, 0.8, 10), scaled(figure.skin, 0.36), 0.9)


def _draw_mouth(canvas: Canvas, figure: Figure) -> None:
    identity, scene = figure.identity, figure.scene
    smile = scene.smile
    x, y = figure.turn * 1.05, figure.mouth_line
    wide = 9.4 * identity.mouth_width * (1 + 0.2 * max(smile, 0))
    lift = 3.4 * smile
    full = 2.3 * identity.lip_fullness
    natural = scaled(mixed(figure.skin, (176, 62, 66), 0.5), 0.94)
    colour = mixed(natural, (196, 24, 48), 0.75 * identity.lip_redness)
    corners = (x - wide, y - lift * 0.6), (x + wide, y - lift * 0.6)
    upper = [(x + wide * 0.45, y - full * 1.2), (x, y - full * 0.5), (x - wide * 0.45, y - full * 1.2)]
    lower = [(x - wide * 0.5, y + full * 1.4 + lift), (x + wide * 0.5, y + full * 1.4 + lift)]
    lips = smooth([corners[0], corners[0], *lower, corners[1], corners[1], *upper])
    canvas.fill(lips, Linear((x, y - full), (x, y + full + lift), scaled(colour, 0.9), scaled(colour, 1.08)))
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


def _draw_glasses(canvas: Canvas, figure: Figure) -> None:
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
