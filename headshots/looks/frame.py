"""Defines where a face is to stand in a portrait, and which frames cannot be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from headshots.errors import FieldViolation

MIN_SIDE_PX, MAX_SIDE_PX = 64, 2048
"""Of a portrait, in pixels."""
DEFAULT_EYE_LINE, DEFAULT_HEAD_HEIGHT = 0.45, 0.72
"""Where the caller names none and the foundation tells nothing of its heads (`fitting.fitted`): a headshot as most
styles paint it, with a little less around the head, so that the cut stays within the painted picture."""
MAX_HEAD_HEIGHT = 1.0
"""From the chin to the crown, share of the height."""
MAX_CROWN_CUT = 0.15
"""How much of a head may be beyond the upper edge, share of its height. Close headshots are cut through the hair; the
hairline of a grown person is about a seventh below the crown, so no more than hair is lost."""
HEAD_WIDTH = 0.75
"""Of a usual head, in heights of the head."""
# What rounding may cost.
_EXACT = 1e-6


@dataclass(frozen=True)
class Frame:
    """The size of a portrait, and where the head stands in it: the middle of the eyes on the vertical middle line."""

    width_px: int
    height_px: int
    eye_line: float = DEFAULT_EYE_LINE
    """From the upper edge to the middle of the eyes, share of the height."""
    head_height: float = DEFAULT_HEAD_HEIGHT
    """From the chin to the crown, without hair, share of the height; see `placing.HEAD_SPANS`."""

    @property
    def head_width(self) -> float:
        """Share of the width that a usual head takes."""
        return self.head_height * HEAD_WIDTH * self.height_px / self.width_px

    @property
    def cuts_crown(self) -> bool:
        """Whether the crown of a usual head is beyond the upper edge. The eyes are in the middle of a head."""
        return self.eye_line < self.head_height / 2 - _EXACT

    def to_json(self) -> dict[str, Any]:
        """For a JSON column."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any] | None) -> Frame | None:
        """From a JSON column; None stays None."""
        return None if document is None else cls(**document)


def find_faults(frame: Frame) -> Iterator[FieldViolation]:
    """Why no portrait can have this frame; each with its field."""
    for field in ("width_px", "height_px"):
        if not MIN_SIDE_PX <= (side := getattr(frame, field)) <= MAX_SIDE_PX:
            yield FieldViolation(field, f"{side} px; use {MIN_SIDE_PX} to {MAX_SIDE_PX}")
            return
    half, highest = frame.head_height / 2, (0.5 - MAX_CROWN_CUT) * frame.head_height
    if frame.eye_line < highest - _EXACT:
        cut = f"more than {MAX_CROWN_CUT:.0%} of the head are beyond the upper edge"
        rule = f"{cut}: use an eye line of {_up(highest):g} or more, or a smaller head"
        yield FieldViolation("eye_line", rule)
    if frame.eye_line + half > 1 + _EXACT:
        rule = f"the chin is beyond the lower edge: use an eye line of {1 - half:.3g} or less, or a smaller head"
        yield FieldViolation("eye_line", rule)
    if frame.head_width > 1 + _EXACT:
        most = frame.head_height / frame.head_width
        rule = f"the head is wider than the portrait: use a head height of {most:.3g} or less, or a wider portrait"
        yield FieldViolation("head_height", rule)


def _up(share: float) -> float:
    """Rounded up to three digits, so that who uses it is not refused again."""
    return math.ceil(share * 1000 - _EXACT) / 1000
