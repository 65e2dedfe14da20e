"""A closer look at pictures in which an analyzer that sees them whole finds nobody."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from headshots.faces import Face, Pixels
from headshots.faces.far_faces import far_faces
from tests.support.images.faces import ColourAnalyzer, draw_head


class ShortSighted(ColourAnalyzer):
    """Misses faces below an eighth of the longer side, as the bundled one does."""

    def faces(self, pixels_HWC: Pixels) -> list[Face]:
        return [face for face in super().faces(pixels_HWC) if _height(face) >= max(pixels_HWC.shape[:2]) / 8]


def _height(face: Face) -> float:
    return face.box[3] - face.box[1]


def _picture(size: tuple[int, int], **heads: tuple[int, int, int, int]) -> Pixels:
    picture = Image.new("RGB", size, (120, 120, 120))
    for person, box in heads.items():
        draw_head(picture, person, box)
    return np.asarray(picture)


@pytest.mark.parametrize(("left", "top"), [(20, 20), (170, 100), (70, 230), (280, 340), (135, 185)])
def test_a_small_face_is_found_once_and_where_it_is(left: int, top: int) -> None:
    picture = _picture((320, 400), ada=(left, top, left + 27, top + 35))
    assert not ShortSighted().faces(picture)
    (face,) = far_faces(ShortSighted(), picture)
    assert face.box == pytest.approx((left, top, left + 28, top + 36))
    true = ColourAnalyzer().faces(picture)[0]
    np.testing.assert_allclose(face.landmarks, true.landmarks)
    np.testing.assert_allclose(face.embedding, true.embedding)


def test_several_are_found_largest_first() -> None:
    picture = _picture((400, 400), ada=(20, 20, 50, 50), bob=(300, 300, 340, 340), eve=(180, 40, 215, 75))
    assert [_height(face) for face in far_faces(ShortSighted(), picture)] == [41, 36, 31]


def test_what_the_first_look_could_not_have_missed_is_no_face() -> None:
    assert far_faces(ShortSighted(), _picture((400, 400), ada=(100, 100, 200, 200))) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (33, 2)])
def test_odd_pictures_have_no_face(size: tuple[int, int]) -> None:
    assert far_faces(ColourAnalyzer(), _picture(size)) == []
