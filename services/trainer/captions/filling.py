"""Fills the recipe's captions, and says what an analyzer measured of a photo. No torch here."""

from __future__ import annotations

from headshots.faces import Face, Pixels
from headshots.imaging.facing import eye_brightness
from headshots.imaging.quality import QualityLimits, luma

SHOWN = "{shown}"
# How much of the picture's height a face's box must have, and what such a portrait is called. A face that is smaller
# says nothing of how much of the body is in the picture.
_FRAMINGS = ((0.45, "close-up"), (0.2, "headshot"), (0.1, "upper body"))
# Of the nose's place between the eyes, in distances of the eyes: about 30 degrees, as a nose's tip lies about half the
# distance of the eyes before them.
_TO_THE_SIDE = 0.32


def fill(caption: str, *, trigger: str, class_noun: str, shown: str = "") -> str:
    """``caption`` with its words; where nothing is known to be ``shown``, that part of it goes."""
    kept = ", ".join(part for part in caption.split(", ") if shown or part != SHOWN)
    return " ".join(kept.format(trigger=trigger, class_noun=class_noun, shown=shown).split())


def what_is_shown(face: Face, picture_HWC: Pixels) -> str:
    """What a photo shows of its person's ``face``, as a caption says it; empty: nothing was measured.

    Only what differs between a person's photos and was measured: how much is in the picture, where the head is turned,
    and whether the eyes can be seen. Who the person is belongs to the trigger word. Glasses and beards are not told, as
    nothing measures them: a caption that guesses teaches the wrong word.
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
