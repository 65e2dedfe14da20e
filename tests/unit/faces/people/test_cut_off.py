"""Boxes that end at an edge go on beyond it where too little of a face is left; all others stay as they are."""

from __future__ import annotations

import numpy as np
import pytest

from headshots.faces.people.cut_off import may_be_cut, reaching_as_far, whole_box

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


@pytest.mark.parametrize(
    ("box", "outline", "expected"),
    [
        ((0, 50, 75, 150), (-25, 60, 75, 140), (-25, 50, 75, 150)),
        ((225, 50, 300, 150), (225, 60, 325, 140), (225, 50, 325, 150)),
        ((50, 0, 125, 90), (60, -20, 115, 80), (50, -22.5, 125, 90)),
        ((50, 210, 125, 300), (60, 220, 115, 320), (50, 210, 125, 322.5)),
        ((0, 50, 75, 150), (10, 60, 70, 140), (0, 50, 75, 150)),
        ((-40, 50, 75, 150), (-25, 60, 75, 140), (-40, 50, 75, 150)),
    ],
    ids=["left", "right", "top", "bottom", "within", "further already"],
)
def test_a_box_reaches_as_far_beyond_an_edge_as_the_mesh(box: Box, outline: Box, expected: Box) -> None:
    found = reaching_as_far(box, np.array(outline, np.float32).reshape(2, 2), 300, 300)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(("edge", "near"), [(0, True), (10, True), (20, False)])
def test_the_mesh_is_asked_where_an_edge_is_near(edge: float, near: bool) -> None:
    whole = 100.0
    for box in (
        (edge, 100, edge + whole, 200),
        (300 - edge - whole, 100, 300 - edge, 200),
        (100, edge, 200, edge + whole),
        (100, 300 - edge - whole, 200, 300 - edge),
    ):
        assert may_be_cut(box, 300, 300) is near
