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
    def chin_point(self) -> tuple[float, float]:
        """The lowest point of the face's outline."""
        return (self.turn * 0.35, self.chin)

    @property
    def eye_line(self) -> float:
        return -self.half_height * (0.08 + 0.03 * self.identity.eye_height) + self.nod

    def eye_x(self, side: int) -> float:
        """The eye's centre; the far eye of a turned head stands nearer to the nose. `side` is -1 or 1."""
        spacing = self.half_width * 0.44 * self.identity.eye_spacing
        foreshortened = 1.0 - 0.012 * abs(self.scene.yaw) * (1.0 if side * self.scene.yaw > 0 else 0.2)
        return side * spacing * foreshortened + self.turn

    @property
    def eye_halves(self) -> tuple[float, float]:
        """Half the width and half the height that an eye's opening is built from."""
        identity = self.identity
        narrow = 1.0 - 0.006 * abs(self.scene.yaw)
        return (
            6.3 * identity.eye_size * narrow * self.half_width / 24,
            3.7 * identity.eye_size * identity.eye_openness * (1 - 0.16 * max(self.scene.smile, 0)),
        )

    def eye_opening(self) -> FloatArray:
        """Between the lids, about the eye's centre and before its tilt; both eyes have the same."""
        half, tall = self.eye_halves
        return smooth(
            [(-half - 1, 0.4), (-half * 0.5, -tall * 1.5), (half * 0.5, -tall * 1.5), (half + 1, 0.4), (0, tall * 1.5)]
        )

    @property
    def pupil(self) -> tuple[float, float]:
        """About the eye's centre and before its tilt."""
        return (self.scene.gaze * 2.2 + self.turn * 0.1, -0.4)

    def eye_tilt(self, side: int) -> float:
        """Degrees by which the eye is turned about its centre."""
        return -self.identity.eye_tilt * side

    def brow_line(self, side: int) -> FloatArray:
        """From the nose outwards."""
        identity = self.identity
        x = self.eye_x(side)
        y = self.eye_line - 8.6 * identity.brow_height * identity.eye_size - 0.7 * max(self.scene.smile, 0)
        tilt = identity.brow_tilt * 1.4
        arch = 1.0 + 2.0 * identity.brow_arch
        return smooth(
            [
                (x - side * 7.2, y + 1 + tilt),
                (x - side * 1, y - arch * 0.6 + tilt * 0.4),
                (x + side * 3, y - arch),
                (x + side * 8, y + 1.4 - tilt),
            ],
            False,
        )

    @property
    def mouth_line(self) -> float:
        return self.half_height * (0.53 + 0.04 * self.identity.mouth_height) + self.nod * 0.8

    @property
    def mouth_x(self) -> float:
        return self.turn * 1.05

    @property
    def mouth_half(self) -> float:
        """Half the mouth's width."""
        return 9.4 * self.identity.mouth_width * (1 + 0.2 * max(self.scene.smile, 0))

    @property
    def mouth_corners(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The picture's left one and its right one."""
        x, y, lift = self.mouth_x, self.mouth_line, 3.4 * self.scene.smile
        return (x - self.mouth_half, y - lift * 0.6), (x + self.mouth_half, y - lift * 0.6)

    def lips(self) -> FloatArray:
        """Both lips in one outline."""
        x, y, wide, lift = self.mouth_x, self.mouth_line, self.mouth_half, 3.4 * self.scene.smile
        full = 2.3 * self.identity.lip_fullness
        corners = self.mouth_corners
        upper = [(x + wide * 0.45, y - full * 1.2), (x, y - full * 0.5), (x - wide * 0.45, y - full * 1.2)]
        lower = [(x - wide * 0.5, y + full * 1.4 + lift), (x + wide * 0.5, y + full * 1.4 + lift)]
        return smooth([corners[0], corners[0], *lower, corners[1], corners[1], *upper])

    @property
    def nose_tip(self) -> tuple[float, float]:
        return (
            self.turn * 1.25,
            self.eye_line + self.half_height * 0.34 * self.identity.nose_length + self.nod * 0.3,
        )

    @property
    def nose_half(self) -> float:
        """Half the nose's width."""
        return 4.9 * self.identity.nose_width

    def nose_base(self) -> FloatArray:
        """From the left wing under the tip to the right one."""
        (x, y), wide = self.nose_tip, self.nose_half
        return smooth(
            [
                (x - wide, y - 1.6),
                (x - wide * 0.9, y + 1.6),
                (x, y + 2.6),
                (x + wide * 0.9, y + 1.6),
                (x + wide, y - 1.6),
            ],
            False,
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
    chin_x, _ = figure.chin_point
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
