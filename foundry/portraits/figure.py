"""Works out once a picture the measures and colours that every drawing module shares.

Design units: the frame is 128 wide; the origin is the middle of the head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foundry.portraits.canvas import Colour, mixed, scaled
from foundry.portraits.identity import Identity
from foundry.portraits.outlines import FloatArray, smooth
from foundry.portraits.scene import Scene

_SKIN: tuple[Colour, ...] = (
    (255, 222, 198),
    (240, 194, 158),
    (222, 168, 126),
    (190, 128, 88),
    (142, 90, 58),
    (98, 62, 42),
)
_HAIR: dict[str, Colour] = {
    "black": (30, 27, 30),
    "brown": (98, 58, 32),
    "blonde": (226, 186, 104),
    "red": (186, 76, 28),
    "grey": (164, 166, 172),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One person in one pose. `turn` is the sideways shift of the features, `nod` the downward one."""

    identity: Identity
    scene: Scene
    half_width: float
    half_height: float
    turn: float
    nod: float
    skin: Colour
    hair: Colour

    @property
    def neck(self) -> float:
        """Half the neck's width."""
        return 11.0 * self.identity.neck_width

    @property
    def chin(self) -> float:
        """The chin's height below the middle of the head."""
        return self.half_height * 1.03 * self.identity.chin_length

    @property
    def eye_line(self) -> float:
        return -self.half_height * (0.08 + 0.03 * self.identity.eye_height) + self.nod

    def eye_x(self, side: int) -> float:
        """The eye's centre; the far eye of a turned head stands nearer to the nose. `side` is -1 or 1."""
        spacing = self.half_width * 0.44 * self.identity.eye_spacing
        foreshortened = 1.0 - 0.012 * abs(self.scene.yaw) * (1.0 if side * self.scene.yaw > 0 else 0.2)
        return side * spacing * foreshortened + self.turn

    @property
    def mouth_line(self) -> float:
        return self.half_height * (0.53 + 0.04 * self.identity.mouth_height) + self.nod * 0.8

    @property
    def nose_tip(self) -> tuple[float, float]:
        return (
            self.turn * 1.25,
            self.eye_line + self.half_height * 0.34 * self.identity.nose_length + self.nod * 0.3,
        )


def figure_of(identity: Identity, scene: Scene) -> Figure:
    """Measures and colours of `identity` posing as in `scene`."""
    place = identity.skin_tone * (len(_SKIN) - 1)
    index = min(int(place), len(_SKIN) - 2)
    skin = mixed(_SKIN[index], _SKIN[index + 1], place - index)
    warmth = identity.skin_warmth * 7
    hair = scaled(_HAIR[identity.hair_colour], 1 + 0.16 * identity.hair_tint)
    half_width = 24.0 * identity.face_width
    return Figure(
        identity=identity,
        scene=scene,
        half_width=half_width,
        half_height=31.0 * identity.face_height,
        turn=half_width * 0.62 * float(np.sin(np.radians(scene.yaw))),
        nod=31.0 * 0.45 * float(np.sin(np.radians(scene.pitch))),
        skin=(skin[0] + warmth, skin[1], skin[2] - warmth),
        hair=hair,
    )


def head_outline(figure: Figure) -> FloatArray:
    """The face and skull, without ears."""
    identity = figure.identity
    width, height = figure.half_width, figure.half_height
    jaw = width * identity.jaw_width
    cheek = width * 1.03 * identity.cheek_width
    square = identity.jaw_squareness
    chin_x = figure.turn * 0.35
    right = [
        (width * 0.58, -height * 1.04),
        (width * 1.05, -height * 0.66),
        (cheek, height * 0.08),
        (jaw * (1.08 + 0.06 * square) + chin_x * 0.4, height * (0.58 + 0.08 * square)),
        (width * (0.28 + 0.14 * square) + chin_x, figure.chin),
    ]
    left = [
        (-width * (0.28 + 0.14 * square) + chin_x, figure.chin),
        (-jaw * (1.08 + 0.06 * square) + chin_x * 0.4, height * (0.58 + 0.08 * square)),
        (-cheek, height * 0.08),
        (-width * 1.05, -height * 0.66),
        (-width * 0.58, -height * 1.04),
    ]
    return smooth(right + left, steps=8)
