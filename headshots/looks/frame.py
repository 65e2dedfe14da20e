"""Defines where a face is to stand in a portrait, and which frames cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from headshots.errors import FieldViolation

MIN_SIDE_PX, MAX_SIDE_PX = 64, 2048
"""Of a portrait, in pixels."""
DEFAULT_EYE_LINE, DEFAULT_HEAD_HEIGHT = 0.45, 0.72
"""Where the caller names none: a headshot as most styles paint it, with a little less around the head, so that the cut
stays within the painted picture."""
# A head is three quarters as wide as it is high.
_HEAD_WIDTH = 0.75


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
        return self.head_height * _HEAD_WIDTH * self.height_px / self.width_px

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
    half = frame.head_height / 2
    if frame.eye_line < half:
        rule = f"the crown is beyond the upper edge: use an eye line of {half:.3g} or more, or a smaller head"
        yield FieldViolation("eye_line", rule)
    if frame.eye_line + half > 1:
        rule = f"the chin is beyond the lower edge: use an eye line of {1 - half:.3g} or less, or a smaller head"
        yield FieldViolation("eye_line", rule)
    if frame.head_width > 1:
        most = frame.head_height / frame.head_width
        rule = f"the head is wider than the portrait: use a head height of {most:.3g} or less, or a wider portrait"
        yield FieldViolation("head_height", rule)
