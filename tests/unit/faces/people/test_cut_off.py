"""Boxes that end at an edge go on beyond it where too little of a face is left; all others stay as they are."""

from __future__ import annotations

import numpy as np
import pytest

from headshots.faces.people.cut_off import whole_box

Box = tuple[float, float, float, float]


@pytest.mark.parametrize(
    ("box", "size", "expected"),
    [
        ((0, 50, 60, 150), (300, 300), (-12, 50, 60, 150)),
        ((240, 50, 300, 150), (300, 300), (240, 50, 312, 150)),
        ((100, 0, 179, 80), (300, 300), (100, -20, 179, 80)),
        ((100, 220, 179, 300), (300, 300), (100, 220, 179, 320)),
    ],
    ids=["left", "right", "top", "bottom"],
)
def test_a_cut_face_goes_on(box: Box, size: tuple[int, int], expected: Box) -> None:
    assert whole_box(np.array(box, np.float32).reshape(2, 2), *size) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    "box",
    [(100, 50, 150, 150), (0, 50, 75, 150), (100, 0, 175, 100), (-3, 50, 80, 150), (100, 50, 200, 120)],
    ids=["a profile", "at the left", "at the top", "beyond already", "wide"],
)
def test_a_whole_face_stays(box: Box) -> None:
    assert whole_box(np.array(box, np.float32).reshape(2, 2), 300, 300) == pytest.approx(box)
