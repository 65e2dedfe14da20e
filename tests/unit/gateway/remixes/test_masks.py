"""Masks of what a remix repaints: where, how soft, and where there is none."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from headshots.faces.base import Parts
from services.gateway.remixes.changes import Change
from services.gateway.remixes.masks import draw_mask

SIDE = 128


def parts(hole: bool = False) -> Parts:
    """A head with hair above clothes, in the middle of the picture."""
    found = Parts.nowhere(SIDE, SIDE)
    assert found.clothes_HW is not None
    found.hair_HW[20:40, 40:88] = 1
    found.face_HW[40:80, 40:88] = 1
    found.clothes_HW[80:, 20:108] = 1
    if hole:
        found.clothes_HW[110:120, 50:60] = 0
    return found


def drawn(told: Parts, change: Change) -> np.ndarray:
    mask = draw_mask(told, change)
    assert mask is not None
    with Image.open(io.BytesIO(mask)) as opened:
        assert (opened.mode, opened.size) == ("L", (SIDE, SIDE))
        return np.asarray(opened)


def test_a_backdrop_is_all_but_the_person_and_its_edge_takes_two_pixels_of_them() -> None:
    mask = drawn(parts(), Change.BACKDROP)
    person = parts().head_HW + parts().clothes_HW > 0
    assert (mask[~person][mask[~person] < 255]).size < 300, "outside of the person only the edge is mixed"
    assert (mask[23:77, 43:85] == 0).all(), "hair and face stay"
    assert (mask[84:, 24:104] == 0).all(), "clothes stay"
    assert mask[30, 36:46].tolist() == [255, 255, 255, 255, 170, 85, 0, 0, 0, 0]


def test_an_outfit_is_the_clothes_and_takes_no_pixel_of_the_head() -> None:
    mask = drawn(parts(), Change.OUTFIT)
    assert (mask[parts().head_HW > 0] == 0).all()
    assert (mask[82:, 24:104] == 255).all()
    assert (mask[:77] == 0).all()
    assert (mask[80:, :17] == 0).all()


@pytest.mark.parametrize("change", [Change.BACKDROP, Change.OUTFIT])
def test_a_hole_in_clothes_is_clothes(change: Change) -> None:
    assert np.array_equal(drawn(parts(hole=True), change), drawn(parts(), change))


def test_a_large_pictures_edges_are_as_wide_in_proportion() -> None:
    large = Parts(*(np.kron(share, np.ones((8, 8), np.float32)) for share in _shares(parts())))
    mask = draw_mask(large, Change.OUTFIT)
    assert mask is not None
    with Image.open(io.BytesIO(mask)) as opened:
        soft = np.asarray(opened)[900] % 255 > 0
    assert 24 <= soft.sum() <= 40


def test_without_a_face_clothes_or_anything_to_change_there_is_no_mask() -> None:
    assert draw_mask(Parts.nowhere(SIDE, SIDE), Change.BACKDROP) is None
    assert draw_mask(dataclasses.replace(parts(), clothes_HW=None), Change.OUTFIT) is None
    bare = dataclasses.replace(parts(), clothes_HW=np.zeros((SIDE, SIDE), np.float32))
    assert draw_mask(bare, Change.OUTFIT) is None
    full = dataclasses.replace(parts(), clothes_HW=np.ones((SIDE, SIDE), np.float32))
    assert draw_mask(full, Change.BACKDROP) is None


def _shares(told: Parts) -> tuple[np.ndarray, ...]:
    assert told.clothes_HW is not None
    return told.face_HW, told.hair_HW, told.clothes_HW
