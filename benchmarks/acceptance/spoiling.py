"""Spoils portraits in known ways, each so that one check of the gate has to see it. Landmarks are the analyzer's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from headshots.acceptance.close_up import span_px
from headshots.faces import Face, Pixels

Spoil = Callable[[Pixels, Face], Pixels]


def _eyes_closed(picture_HWC: Pixels, face: Face) -> Pixels:
    """The lids down: skin over both eyes, and a line of lashes."""
    image, span = Image.fromarray(picture_HWC), span_px(face)
    draw = ImageDraw.Draw(image)
    for eye, corner in ((0, 3), (1, 4)):
        x, y = face.landmarks[eye].tolist()
        cheek_x, cheek_y = ((face.landmarks[eye] + face.landmarks[corner]) / 2).tolist()
        skin = tuple(
            picture_HWC[_inside(cheek_y, picture_HWC.shape[0]), _inside(cheek_x, picture_HWC.shape[1])].tolist()
        )
        draw.ellipse((x - 0.32 * span, y - 0.2 * span, x + 0.32 * span, y + 0.2 * span), fill=skin)
        lash = tuple(round(0.5 * value) for value in skin)
        draw.arc((x - 0.28 * span, y - 0.1 * span, x + 0.28 * span, y + 0.14 * span), 20, 160, fill=lash, width=1)
    return np.asarray(image)


def _one_eye_closed(picture_HWC: Pixels, face: Face) -> Pixels:
    """A wink: the picture's left half from the closed ones."""
    middle = _inside(float(face.landmarks[2, 0]), picture_HWC.shape[1])
    closed_HWC = _eyes_closed(picture_HWC, face)
    return np.concatenate([closed_HWC[:, :middle], picture_HWC[:, middle:]], axis=1)


def _blurred(picture_HWC: Pixels, face: Face) -> Pixels:
    return np.asarray(Image.fromarray(picture_HWC).filter(ImageFilter.GaussianBlur(0.12 * span_px(face))))


def _waxen(picture_HWC: Pixels, face: Face) -> Pixels:
    """Cheeks without any texture, as of a doll; eyes, nose and mouth stay."""
    image, span = Image.fromarray(picture_HWC), span_px(face)
    mask = Image.new("L", image.size)
    for eye, corner in ((0, 3), (1, 4)):
        x, y = ((face.landmarks[eye] + face.landmarks[corner]) / 2).tolist()
        ImageDraw.Draw(mask).ellipse((x - 0.35 * span, y - 0.3 * span, x + 0.35 * span, y + 0.3 * span), fill=255)
    soft = mask.filter(ImageFilter.GaussianBlur(0.1 * span))
    return np.asarray(Image.composite(image.filter(ImageFilter.GaussianBlur(0.3 * span)), image, soft))


def _grey(picture_HWC: Pixels, face: Face) -> Pixels:
    """Skin without colour, as of somebody dead."""
    return _recoloured(picture_HWC, face, np.zeros(3), 0.9)


def _green(picture_HWC: Pixels, face: Face) -> Pixels:
    return _recoloured(picture_HWC, face, np.array([-45.0, 25.0, -25.0]), 0.3)


def _lit_from_one_side(picture_HWC: Pixels, face: Face) -> Pixels:
    """One half of the picture in its shadow."""
    middle = float(face.landmarks[:, 0].mean())
    share_W = 1 / (1 + np.exp(-(np.arange(picture_HWC.shape[1]) - middle) / (0.15 * span_px(face))))
    lit_HWC: Pixels = (picture_HWC * (0.2 + 0.8 * share_W)[None, :, None]).astype(np.uint8)
    return lit_HWC


def _cut_off(picture_HWC: Pixels, face: Face) -> Pixels:
    """The picture moved until the left quarter of the face is outside, the rest of the frame its edge."""
    left, _, right, _ = face.box
    return _moved(picture_HWC, round(left + 0.25 * (right - left)))


def _off_centre(picture_HWC: Pixels, face: Face) -> Pixels:
    """The face whole, at the edge, beside twice as much room."""
    return np.pad(picture_HWC, ((0, 0), (0, 2 * picture_HWC.shape[1]), (0, 0)), mode="edge")


def _far_away(picture_HWC: Pixels, face: Face) -> Pixels:
    """The picture small, before the colour of its corner."""
    height, width = picture_HWC.shape[:2]
    far_HWC = np.empty_like(picture_HWC)
    far_HWC[:] = picture_HWC[0, 0]
    small = Image.fromarray(picture_HWC).resize((width // 4, height // 4), Image.Resampling.BOX)
    far_HWC[height // 3 : height // 3 + height // 4, width // 3 : width // 3 + width // 4] = np.asarray(small)
    return far_HWC


def _twins(picture_HWC: Pixels, face: Face) -> Pixels:
    """Twice the same person, side by side."""
    return np.concatenate([picture_HWC, picture_HWC[:, ::-1]], axis=1)


SPOILT: Mapping[str, tuple[Spoil, str]] = {
    "eyes closed": (_eyes_closed, "EYES_CLOSED"),
    "one eye closed": (_one_eye_closed, "EYES_CLOSED"),
    "blurred": (_blurred, "BLURRY"),
    "waxen skin": (_waxen, "SKIN_UNNATURAL"),
    "grey skin": (_grey, "COLOUR_UNNATURAL"),
    "green skin": (_green, "COLOUR_UNNATURAL"),
    "light from one side": (_lit_from_one_side, "LIGHT_UNEVEN"),
    "cut off": (_cut_off, "FACE_CUT_OFF"),
    "off centre": (_off_centre, "FACE_OFF_CENTRE"),
    "far away": (_far_away, "FACE_TOO_SMALL"),
    "twins": (_twins, "MULTIPLE_FACES"),
}
"""What is done to a portrait, and the check that is meant to see it."""


def _recoloured(picture_HWC: Pixels, face: Face, shift_3: npt.NDArray[np.float64], share: float) -> Pixels:
    """The face's oval moved towards its luma by ``share``, and by ``shift_3`` in sRGB."""
    grey_HW1 = picture_HWC.mean(axis=2, keepdims=True)
    new_HWC = np.clip(picture_HWC * (1 - share) + grey_HW1 * share + shift_3, 0, 255)
    return np.where(_oval(picture_HWC, face), new_HWC, picture_HWC).astype(np.uint8)


def _oval(picture_HWC: Pixels, face: Face) -> npt.NDArray[np.bool_]:
    """[H, W, 1]: the face's box, its corners rounded."""
    left, top, right, bottom = face.box
    mask = Image.new("1", (picture_HWC.shape[1], picture_HWC.shape[0]))
    ImageDraw.Draw(mask).ellipse((left, top, right, bottom), fill=1)
    return np.asarray(mask)[..., None]


def _moved(picture_HWC: Pixels, pixels: int) -> Pixels:
    """To the left."""
    return np.pad(picture_HWC, ((0, 0), (0, pixels), (0, 0)), mode="edge")[:, pixels:]


def _inside(value: float, size: int) -> int:
    return min(max(round(value), 0), size - 1)
