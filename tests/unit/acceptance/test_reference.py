"""The reference of a person's photos: which sizes it can be compared at, and its spread."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image

from headshots.acceptance import measure_reference
from headshots.acceptance.close_up import CloseUp
from headshots.faces import Pixels
from tests.support.images.faces import ColourAnalyzer, draw_head


def photo(side: int) -> Pixels:
    image = Image.new("RGB", (2 * side, 2 * side), (120, 120, 120))
    draw_head(image, "ada", (side // 2, side // 2, side // 2 + side, side // 2 + side))
    return np.asarray(image)


def test_one_large_photo_sets_no_size_that_most_are_too_small_for() -> None:
    small = measure_reference(ColourAnalyzer(), [photo(48)] * 3)
    mixed = measure_reference(ColourAnalyzer(), [photo(48)] * 3 + [photo(160)])
    large = measure_reference(ColourAnalyzer(), [photo(160)])
    assert small is not None
    assert mixed is not None
    assert large is not None
    assert max(large.close_ups) > max(small.close_ups)
    assert max(mixed.close_ups) == max(small.close_ups)


def test_photos_without_a_face_are_left_out_and_none_is_no_reference() -> None:
    wall = np.full((64, 64, 3), 120, np.uint8)
    reference = measure_reference(ColourAnalyzer(), [wall, photo(64)])
    assert reference is not None
    assert len(reference.embeddings) == 1
    assert reference.spread == pytest.approx(1 - ColourAnalyzer.same_person_from)
    assert measure_reference(ColourAnalyzer(), [wall]) is None


def test_skin_that_lost_its_red_is_further_than_skin_in_coloured_light() -> None:
    photo = CloseUp(0.3, 0.1, 15.0, 18.0, 15.0, 18.0, 0.1, 0.1)
    paler = dataclasses.replace(photo, left_a=9.0, right_a=9.0)
    in_neon = dataclasses.replace(photo, left_a=24.0, right_a=21.0, left_b=9.0, right_b=6.0)
    lit_from_one_side = dataclasses.replace(photo, left_a=-20.0)
    assert paler.colour_distance(photo) == pytest.approx(6.0)
    assert in_neon.colour_distance(photo) == pytest.approx(np.hypot(9, 9) / 3)
    assert lit_from_one_side.colour_distance(photo) == 0
