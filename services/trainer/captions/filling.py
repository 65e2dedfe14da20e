"""Fills the recipe's captions, and says what an analyzer measured of a photo. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

from headshots.faces import Face, Pixels
from headshots.imaging.facing import eye_brightness
from headshots.imaging.quality import QualityLimits, luma

SHOWN, TRAITS = "{shown}", "{traits}"
"""Where a caption has what `Shown` tells; without the latter traits are not measured."""
# How much of the picture's height a face's box must have, and what such a portrait is called. A face that is smaller
# says nothing of how much of the body is in the picture.
_FRAMINGS = ((0.45, "close-up"), (0.2, "headshot"), (0.1, "upper body"))
# Of the nose's place between the eyes, in distances of the eyes: about 30 degrees, as a nose's tip lies about half the
# distance of the eyes before them.
_TO_THE_SIDE = 0.32


@dataclass(frozen=True)
class Shown:
    """What an analyzer measured of a photo, in words; empty: nothing.

    ``view``: how much is in it and where the head is turned; ``traits``: glasses and beard.
    """

    view: str = ""
    traits: str = ""


NOTHING = Shown()


def fill(caption: str, *, trigger: str, class_noun: str, shown: Shown = NOTHING) -> str:
    """``caption`` with its words; where nothing is known of what a part would say, that part goes."""
    empty = {name for name, words in ((SHOWN, shown.view), (TRAITS, shown.traits)) if not words}
    kept = ", ".join(part for part in caption.split(", ") if part not in empty)
    filled = kept.format(trigger=trigger, class_noun=class_noun, shown=shown.view, traits=shown.traits)
    return " ".join(filled.split())


def what_is_shown(face: Face, picture_HWC: Pixels) -> str:
    """What a photo shows of its person's ``face``, as a caption says it; empty: nothing was measured.

    Only what differs between a person's photos and was measured: how much is in the picture, where the head is turned,
    and whether the eyes can be seen. Who the person is belongs to the trigger word. Glasses and beards are told by
    `what_is_worn`, which sees all photos.
    """
    share = face.height_px / len(picture_HWC)
    framing = next((name for least, name in _FRAMINGS if share >= least), "")
    turned = "looking to the side" if abs(_turn(face)) >= _TO_THE_SIDE else ""
    dark = eye_brightness(luma(picture_HWC), face) < QualityLimits().min_eye_brightness
    return ", ".join(word for word in (framing, turned, "eyes hidden" if dark else "") if word)


def _turn(face: Face) -> float:
    """Where the nose is between the eyes, along the line through both, in their distances: no matter how it leans."""
    left_eye, right_eye, nose = face.landmarks[:3]
    across = right_eye - left_eye
    # Eyes in one spot are no face; the distance of a pixel keeps such a one from being infinitely far turned.
    return float((nose - (left_eye + right_eye) / 2) @ across) / max(float(across @ across), 1.0)
