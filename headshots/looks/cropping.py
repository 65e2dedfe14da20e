"""Cuts a painted picture to a frame, from the landmarks of its face. Nothing is invented beyond the picture's edges.

Shapes: H, W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from PIL import Image

from headshots.faces.base import FaceAnalyzer, Pixels
from headshots.looks.frame import Frame
from headshots.looks.placing import Placement, place

TOLERANCE = 0.01
"""Of eye line and head height, share of the height: a portrait that is further from its frame misses it."""
# A cut is measured and corrected until it is so near, or so often: each measuring takes some ten looks of the analyzer.
_NEAR, _ROUNDS = 0.002, 5
# A cut that has fewer pixels than this share of the portrait's, in either direction, would be blown up too much.
_LEAST_PIXELS = 0.5

Box = tuple[float, float, float, float]


class Missed(StrEnum):
    """Why a picture was not cut."""

    NO_FACE = "FRAME_WITHOUT_FACE"
    OUTSIDE = "FRAME_OUTSIDE"
    TOO_FEW_PIXELS = "FRAME_TOO_FEW_PIXELS"
    UNSTEADY = "FRAME_UNSTEADY"


WORDS = {
    Missed.NO_FACE: "no face was found to cut the picture by",
    Missed.OUTSIDE: "the frame reaches beyond the painted picture",
    Missed.TOO_FEW_PIXELS: "the head is so small that the cut would be blown up to more than twice its size",
    Missed.UNSTEADY: "eye line and head height could not be brought within one percent of the frame",
}
"""What each means, for a person."""


@dataclass(frozen=True)
class Cut:
    """A picture cut to a frame, uint8 [height, width, 3]; or the whole picture, and why it was not cut."""

    pixels: Pixels
    missed: Missed | None = None


def cut_to_frame(analyzer: FaceAnalyzer, picture_HWC: Pixels, frame: Frame) -> Cut:
    """The portrait that has the eyes and the head where the frame wants them, as the analyzer sees the portrait itself.

    Of several cuts the nearest; a picture that gives none within `TOLERANCE` stays whole.
    """
    placement = place(analyzer, picture_HWC)
    if placement is None:
        return Cut(picture_HWC, Missed.NO_FACE)
    height, width = picture_HWC.shape[:2]
    box = _box_of(placement, (0.0, 0.0, float(width), float(height)), frame)
    best: tuple[float, Pixels] | None = None
    missed: Missed | None = Missed.UNSTEADY
    for _ in range(_ROUNDS):
        if (missed := _fault(box, picture_HWC, frame)) is not None:
            break
        portrait_HWC = _resized(picture_HWC, box, frame)
        if (seen := place(analyzer, portrait_HWC)) is None:
            missed = Missed.NO_FACE
            break
        apart = deviation(seen, frame)
        if best is None or apart < best[0]:
            best = apart, portrait_HWC
        if apart <= _NEAR:
            break
        box = _box_of(seen, box, frame)
    if best is not None and best[0] <= TOLERANCE:
        return Cut(best[1])
    return Cut(picture_HWC, missed or Missed.UNSTEADY)


def deviation(placement: Placement, frame: Frame) -> float:
    """How far eye line or head height is from the frame's, whichever is further; share of the height."""
    return max(abs(placement.eye_line - frame.eye_line), abs(placement.head_height - frame.head_height))


def _box_of(placement: Placement, seen: Box, frame: Frame) -> Box:
    """The cut of the picture that puts the face where the frame wants it; `placement` is in the cut `seen`."""
    left, top, right, bottom = seen
    eyes_x, eyes_y = left + placement.centre * (right - left), top + placement.eye_line * (bottom - top)
    height = placement.head_height * (bottom - top) / frame.head_height
    width = height * frame.width_px / frame.height_px
    left, top = eyes_x - width / 2, eyes_y - frame.eye_line * height
    return left, top, left + width, top + height


def _fault(box: Box, picture_HWC: Pixels, frame: Frame) -> Missed | None:
    height, width = picture_HWC.shape[:2]
    left, top, right, bottom = box
    if left < 0 or top < 0 or right > width or bottom > height:
        return Missed.OUTSIDE
    return Missed.TOO_FEW_PIXELS if bottom - top < _LEAST_PIXELS * frame.height_px else None


def _resized(picture_HWC: Pixels, box: Box, frame: Frame) -> Pixels:
    size = frame.width_px, frame.height_px
    return np.asarray(Image.fromarray(picture_HWC).resize(size, Image.Resampling.LANCZOS, box))
