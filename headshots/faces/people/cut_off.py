"""Completes the boxes of faces that a picture's edge cuts: YuNet's stop there. Imports numpy only."""

from __future__ import annotations

from headshots.faces.geometry import Floats

# Width over height of whole faces' boxes: 0.72 to 0.79 in the photos that were at hand. A face counts as cut across
# below the former, and along above the latter.
_NARROWEST, _WIDEST = 0.72, 0.79
# A box within so much of its own side from the edge ends there.
_NEAR = 0.06


def whole_box(corners_22: Floats, width: int, height: int) -> tuple[float, float, float, float]:
    """The box that the face would have in a larger picture: left, top, right, bottom.

    A box that ends at an edge, and is narrower or lower than faces are, goes on beyond it. Where less than half of a
    face is left, YuNet finds none.
    """
    left, top, right, bottom = (float(value) for value in corners_22.ravel())
    wide, high = right - left, bottom - top
    missing_wide, missing_high = _NARROWEST * high - wide, wide / _WIDEST - high
    if missing_wide > 0:
        if left < _NEAR * wide:
            left = min(left, right - wide - missing_wide)
        elif right > width - _NEAR * wide:
            right = max(right, left + wide + missing_wide)
    elif missing_high > 0:
        if top < _NEAR * high:
            top = min(top, bottom - high - missing_high)
        elif bottom > height - _NEAR * high:
            bottom = max(bottom, top + high + missing_high)
    return left, top, right, bottom
