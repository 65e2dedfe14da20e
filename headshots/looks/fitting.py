"""Fits frames to what a foundation paints: the default where a caller names none, and which frames reach beyond it.

A frame is cut from a painted picture by enlarging: of a picture whose head is h high a frame with a head of H takes
h / H of the height, and as much of it above the eyes as the frame has there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from headshots.errors import FieldViolation
from headshots.looks.frame import (
    DEFAULT_EYE_LINE,
    DEFAULT_HEAD_HEIGHT,
    HEAD_WIDTH,
    MAX_CROWN_CUT,
    MAX_HEAD_HEIGHT,
    Frame,
)

ROOM = 1.2
"""How much larger heads are in the default frame than the foundation usually paints them: the default for selfie-like
portraits has as much (0.72 over 0.59). Heads of one foundation differ by a tenth of their height."""
# What rounding may cost.
_EXACT = 1e-6


@dataclass(frozen=True)
class Painted:
    """How heads usually stand in the pictures that a foundation paints, as its card tells."""

    head_height: float
    """From the chin to the crown, without hair, share of the height."""
    eye_line: float
    """From the upper edge to the middle of the eyes, share of the height."""
    aspect: float
    """Width of a picture over its height."""

    @classmethod
    def told(cls, head_height: float | None, eye_line: float | None, width_px: int, height_px: int) -> Painted | None:
        """Of a foundation of this native size; None: it does not tell how high heads are."""
        if head_height is None:
            return None
        return cls(head_height, DEFAULT_EYE_LINE if eye_line is None else eye_line, width_px / height_px)


def fitted(
    width_px: int,
    height_px: int,
    painted: Painted | None,
    *,
    eye_line: float | None = None,
    head_height: float | None = None,
) -> Frame:
    """The frame of this size; what is None is chosen so that it can be cut from what is usually painted.

    Args:
        painted: None: a foundation that does not tell, as wide ones; then 0.45 and 0.72.
    """
    if head_height is None:
        head_height = _head_height(width_px / height_px, painted)
    if eye_line is None:
        eye_line = DEFAULT_EYE_LINE if painted is None else _eye_line(head_height, painted)
    return Frame(width_px, height_px, eye_line, head_height)


def _head_height(aspect: float, painted: Painted | None) -> float:
    if painted is None:
        return DEFAULT_HEAD_HEIGHT
    # Where the portrait is wider than the picture, its sides are what has to have room.
    near = ROOM * painted.head_height * max(1.0, aspect / painted.aspect)
    # Rounded down, as a wider head would be beyond the portrait's sides.
    whole = math.floor(aspect / HEAD_WIDTH * 100) / 100
    return min(round(near, 2), MAX_HEAD_HEIGHT, whole)


def _eye_line(head_height: float, painted: Painted) -> float:
    """As painted: there a cut fits whatever its size; nearer to the middle where too much of the head would be cut."""
    highest, lowest = (0.5 - MAX_CROWN_CUT) * head_height, 1 - head_height / 2
    return round(min(max(painted.eye_line, highest), lowest), 6)


def find_misfits(frame: Frame, painted: Painted) -> Iterator[FieldViolation]:
    """Why a usual picture of a foundation has no room for this frame, with what to use; each with its field."""
    beyond = [name for name, over in _excesses(frame, painted).items() if over > _EXACT]
    if not beyond:
        return
    seen = f"heads are painted {painted.head_height:g} high with eyes at {painted.eye_line:g}"
    edges = f"{seen}, so the frame would reach beyond the picture's {' and '.join(beyond)}"
    best = fitted(frame.width_px, frame.height_px, painted)
    if any(over > _EXACT for over in _excesses(best, painted).values()):
        least = math.ceil(HEAD_WIDTH * painted.head_height * frame.height_px)
        most = math.floor(painted.aspect * frame.height_px / painted.head_height)
        yield FieldViolation("width_px", f"{edges}: use {least} to {most} px for this height")
    else:
        cure = f"use a head height of {best.head_height:g} and an eye line of {best.eye_line:g}, or name neither"
        yield FieldViolation("head_height", f"{edges}: {cure}")


def _excesses(frame: Frame, painted: Painted) -> dict[str, float]:
    """How far the frame reaches beyond the edges of a usual picture, shares of its height and its width."""
    taken = painted.head_height / frame.head_height
    return {
        "upper edge": frame.eye_line * taken - painted.eye_line,
        "lower edge": (1 - frame.eye_line) * taken - (1 - painted.eye_line),
        "sides": frame.width_px / frame.height_px * taken / painted.aspect - 1,
    }
