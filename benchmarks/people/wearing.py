"""Puts clear glasses and beards on a face: the portraits at hand show one pair of glasses and no beard.

Imports numpy and Pillow.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from headshots.imaging.quality import Floats

FRAMES = ((25, 25, 30), (110, 60, 30), (150, 150, 160), (120, 20, 30))
"""Colours of frames: black, brown, metal, red."""
THICK = (0.03, 0.06)
"""Of a frame, in distances of the eyes."""
BEARDS = ((30, 27, 25), (80, 75, 72), (200, 198, 195))
"""Colours of hair: black, dark grey, white. Brown on light skin has skin's hue: `traits` does not know those."""
_FINER = 4
# Seen from the pupil, in distances of the eyes: half a glass's width, its upper and lower edge; how high the bridge is.
_GLASS, _GLASS_UP, _GLASS_DOWN, _BRIDGE = 0.4, 0.26, 0.42, 0.06


def in_glasses(photo: Image.Image, landmarks_52: Floats) -> Iterator[Image.Image]:
    """The photo with each frame: round or square, each colour, each thickness; the face is upright."""
    for colour, thick, is_round in itertools.product(FRAMES, THICK, (True, False)):
        over = Image.new("L", (photo.width * _FINER, photo.height * _FINER))
        _draw_frame(ImageDraw.Draw(over), landmarks_52[:2] * _FINER, thick, is_round)
        yield Image.composite(Image.new("RGB", photo.size, colour), photo, over.resize(photo.size))


def _draw_frame(draw: ImageDraw.ImageDraw, eyes_22: Floats, thick: float, is_round: bool) -> None:
    apart = float(np.linalg.norm(eyes_22[1] - eyes_22[0]))
    width = max(round(thick * apart), 1)
    for x, y in eyes_22.tolist():
        edges = (x - _GLASS * apart, y - _GLASS_UP * apart, x + _GLASS * apart, y + _GLASS_DOWN * apart)
        if is_round:
            draw.ellipse(edges, outline=255, width=width)
        else:
            draw.rounded_rectangle(edges, 0.1 * apart, outline=255, width=width)
    (left, left_y), (right, right_y) = eyes_22.tolist()
    inner = [(left + _GLASS * apart, left_y), (right - _GLASS * apart, right_y)]
    draw.line([(x, y - _BRIDGE * apart) for x, y in inner], fill=255, width=width)


def in_beards(photo: Image.Image, landmarks_52: Floats) -> Iterator[Image.Image]:
    """The photo with a full beard of each colour, of strands in many shades; the face is upright."""
    eyes, mouth = landmarks_52[:2].mean(axis=0), landmarks_52[3:].mean(axis=0)
    apart = float(np.linalg.norm(landmarks_52[1] - landmarks_52[0]))
    over = Image.new("L", photo.size)
    draw = ImageDraw.Draw(over)
    x, y = float(mouth[0]), float(mouth[1])
    down = y - float(eyes[1])
    draw.ellipse((x - 0.85 * apart, y - 0.55 * down, x + 0.85 * apart, y + 0.95 * apart), fill=235)
    draw.ellipse((x - 0.75 * apart, y - 1.5 * down, x + 0.75 * apart, y - 0.3 * down), fill=0)
    draw.ellipse((x - 0.38 * apart, y - 0.13 * apart, x + 0.38 * apart, y + 0.22 * apart), fill=0)
    soft = over.filter(ImageFilter.GaussianBlur(0.05 * apart))
    strands = np.random.default_rng(47).normal(1, 0.35, (photo.height, photo.width, 1))
    for colour in BEARDS:
        hair = (np.array(colour) * strands).clip(0, 255).astype(np.uint8)
        yield Image.composite(Image.fromarray(hair), photo, soft)
