"""Completes the boxes of faces that a picture's edge cuts: YuNet's stop there. Imports numpy only."""

from __future__ import annotations

from headshots.faces.geometry import Floats

# Width over height of whole faces' boxes: 0.72 to 0.79 in the photos that were at hand. A face counts as cut across
# below the former, and along above the latter.
_NARROWEST, _WIDEST = 0.72, 0.79
# A box within so much of its own side from the edge ends there.
_NEAR = 0.06
# Within so much, the mesh is asked: YuNet's box may be off by that.
_CLOSE = 0.12

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels


def whole_box(corners_22: Floats, width: int, height: int) -> Box:
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


def may_be_cut(box: Box, width: int, height: int) -> bool:
    """Whether an edge of the picture is so near that some of the face may lie beyond it."""
    left, top, right, bottom = box
    wide, high = _CLOSE * (right - left), _CLOSE * (bottom - top)
    return left < wide or top < high or right > width - wide or bottom > height - high


def reaching_as_far(box: Box, outline_N2: Floats, width: int, height: int) -> Box:
    """The box, with at least as much of it beyond each edge as of the face's outline by the mesh.

    The mesh goes on where the picture ends, and tells a cut at the side that leaves YuNet's box nearly as wide as
    faces are.
    """
    left, top, right, bottom = box
    (first_x, first_y), (last_x, last_y) = outline_N2.min(axis=0).tolist(), outline_N2.max(axis=0).tolist()
    wide, high = max(last_x - first_x, 1e-6), max(last_y - first_y, 1e-6)
    return (
        _beyond(left, right, -first_x / wide),
        _beyond(top, bottom, -first_y / high),
        width - _beyond(width - right, width - left, (last_x - width) / wide),
        height - _beyond(height - bottom, height - top, (last_y - height) / high),
    )


def _beyond(end: float, other: float, share: float) -> float:
    """The nearer end of a side, or what brings `share` of it below 0 where that is further. `other`: the far end."""
    return min(end, -share * other / (1 - share)) if 0 < share < 1 and other > 0 else end
